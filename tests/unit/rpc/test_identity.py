"""Service tokens: made by those who hold the key, and not for long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.rpc import Identity

KEY = b"k" * 32
NOW = 1_700_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def test_token_names_its_service() -> None:
    clock = Clock()

    assert Identity("other", KEY, now=clock).verify(Identity("ingestion", KEY, now=clock).token()) == "ingestion"


def test_token_lapses() -> None:
    clock = Clock()
    token = Identity("ingestion", KEY, now=clock).token()

    clock.now = NOW + 64
    assert Identity("other", KEY, now=clock).verify(token) == "ingestion"
    clock.now = NOW + 66
    assert Identity("other", KEY, now=clock).verify(token) is None


def test_token_of_too_long_a_life_is_refused() -> None:
    late = Clock()
    late.now = NOW + 3600

    assert Identity("other", KEY, now=Clock()).verify(Identity("ingestion", KEY, now=late).token()) is None


def test_token_is_kept_for_half_of_its_life() -> None:
    clock = Clock()
    identity = Identity("ingestion", KEY, now=clock)
    first = identity.token()

    clock.now = NOW + 29
    assert identity.token() == first
    clock.now = NOW + 31
    assert identity.token() != first


def test_clock_set_back_makes_a_new_token() -> None:
    clock = Clock()
    identity = Identity("ingestion", KEY, now=clock)
    first = identity.token()

    clock.now = NOW - 600

    assert identity.token() != first
    assert Identity("other", KEY, now=clock).verify(identity.token()) == "ingestion"


def test_token_under_another_key_is_refused() -> None:
    clock = Clock()

    assert Identity("other", KEY, now=clock).verify(Identity("ingestion", b"x" * 32, now=clock).token()) is None


def test_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Identity("ingestion", b"short")


@given(position=st.integers(0, 200), letter=st.characters(max_codepoint=0x2FF))
def test_changed_token_is_refused(position: int, letter: str) -> None:
    clock = Clock()
    token = Identity("ingestion", KEY, now=clock).token()
    place = position % len(token)

    forged = token[:place] + letter + token[place + 1 :]

    assert forged == token or Identity("other", KEY, now=clock).verify(forged) is None


@given(text=st.text())
def test_any_text_is_refused(text: str) -> None:
    assert Identity("other", KEY, now=Clock()).verify(text) is None
