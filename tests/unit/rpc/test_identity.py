"""Statements of services: made by those who hold the key, for one audience, and not for long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.rpc.identity import Identity, Statement, keys_of

KEY = b"k" * 32
NOW = 1_700_000_000.0
SERVICES = ("ingestion", "delivery", "access")


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def identity(name: str, clock: Clock | None = None, *, key: bytes = KEY) -> Identity:
    """With no more than the service's own keys."""
    return Identity(name, keys_of(name, key, SERVICES), now=clock or Clock())


def test_statement_names_its_service() -> None:
    assert identity("access").verify(identity("ingestion").token("access")) == Statement("ingestion", int(NOW) + 60, "")


def test_statement_names_the_client_that_was_let_in() -> None:
    stated = identity("access").verify(identity("ingestion").token("access", client_id="c-1_a"))

    assert stated is not None
    assert stated.client_id == "c-1_a"


def test_holder_of_the_hubs_key_is_understood_and_understands() -> None:
    whole = Identity("access", KEY, now=Clock())

    assert whole.verify(identity("ingestion").token("access"))
    assert identity("ingestion").verify(whole.token("ingestion"))


def test_service_may_call_itself() -> None:
    assert identity("access").verify(identity("access").token("access"))


def test_statement_is_worth_nothing_elsewhere() -> None:
    assert identity("delivery").verify(identity("ingestion").token("access")) is None


def test_who_verifies_a_statement_cannot_speak_for_its_issuer_to_others() -> None:
    stolen = keys_of("access", KEY, SERVICES)
    forged = Identity("ingestion", stolen | {"ingestion": stolen["access"]}, now=Clock())

    assert identity("delivery").verify(forged.token("delivery")) is None


def test_services_without_keys_for_each_other_cannot_speak() -> None:
    with pytest.raises(LookupError):
        identity("access").token("stranger")


def test_statement_lapses() -> None:
    clock = Clock()
    verifier, token = identity("access", clock), identity("ingestion", clock).token("access")

    clock.now = NOW + 64
    assert verifier.verify(token)
    clock.now = NOW + 66
    assert verifier.verify(token) is None


def test_statement_of_too_long_a_life_is_refused() -> None:
    late = Clock()
    late.now = NOW + 3600

    assert identity("access").verify(identity("ingestion", late).token("access")) is None


def test_statement_is_kept_for_half_of_its_life() -> None:
    clock = Clock()
    issuer = identity("ingestion", clock)
    first = issuer.token("access")

    clock.now = NOW + 29
    assert issuer.token("access") == first
    clock.now = NOW + 31
    assert issuer.token("access") != first


def test_clock_set_back_makes_a_new_statement() -> None:
    clock = Clock()
    issuer = identity("ingestion", clock)
    first = issuer.token("access")

    clock.now = NOW - 600

    assert issuer.token("access") != first
    assert identity("access", clock).verify(issuer.token("access"))


def test_statements_about_many_clients_stay_true() -> None:
    issuer, verifier = identity("ingestion"), identity("access")

    told = [verifier.verify(issuer.token("access", client_id=str(number))) for number in range(3000)]

    assert [each.client_id for each in told if each] == [str(number) for number in range(3000)]


def test_statement_under_another_key_is_refused() -> None:
    assert identity("access").verify(identity("ingestion", key=b"x" * 32).token("access")) is None


def test_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Identity("ingestion", b"short")


@given(position=st.integers(0, 200), letter=st.characters(max_codepoint=0x2FF))
def test_changed_statement_is_refused(position: int, letter: str) -> None:
    token = identity("ingestion").token("access", client_id="client")
    place = position % len(token)

    forged = token[:place] + letter + token[place + 1 :]

    assert forged == token or identity("access").verify(forged) is None


@given(text=st.text())
def test_any_text_is_refused(text: str) -> None:
    assert identity("access").verify(text) is None
