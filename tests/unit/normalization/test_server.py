"""The wire form of results; the door and the transport are not of this test."""

from typing import Any, cast

import pytest
from contactsync.normalization.v1 import normalization_service_pb2 as pb

from libs.rpc import Refusal as RefusedCall
from services.normalization.domain import EMAIL_SENTENCES, PHONE_SENTENCES, DecidedBy, Refusal
from services.normalization.emails import LibraryEmails
from services.normalization.handler import Normalizer
from services.normalization.phones.compiled import CompiledPhones
from services.normalization.phones.library import LibraryPhones
from services.normalization.server import NormalizationServer

CONTEXT = cast("Any", None)  # the server does not use it


@pytest.fixture
def server() -> NormalizationServer:
    return NormalizationServer(Normalizer(phones=CompiledPhones(LibraryPhones()), emails=LibraryEmails()))


async def test_normalize_keeps_the_text_and_says_how_it_was_decided(server: NormalizationServer) -> None:
    request = pb.NormalizeRequest(phones=["8 (900) 123-45-67", "нет", "+7 900 1"], emails=["A@B.com", "нет"])

    response = await server.Normalize(request, CONTEXT)

    assert list(response.phones) == [
        pb.NormalizedPhone(
            raw="8 (900) 123-45-67", e164="+79001234567", region="RU", decided_by=pb.DECIDED_BY_DEFAULT_REGION
        ),
        pb.NormalizedPhone(raw="нет", refusal=pb.REFUSAL_NOT_A_NUMBER, message="Invalid phone number"),
        pb.NormalizedPhone(
            raw="+7 900 1",
            decided_by=pb.DECIDED_BY_PLUS,
            refusal=pb.REFUSAL_TOO_SHORT,
            message="Invalid phone number: too short",
        ),
    ]
    assert list(response.emails) == [
        pb.NormalizedEmail(raw="A@B.com", email="A@b.com"),
        pb.NormalizedEmail(raw="нет", refusal=pb.REFUSAL_NOT_AN_EMAIL, message="Invalid e-mail address"),
    ]
    assert response.metadata_version.startswith("9.")


async def test_normalize_reads_under_the_region_given(server: NormalizationServer) -> None:
    response = await server.Normalize(pb.NormalizeRequest(default_region="DE", phones=["030 901820"]), CONTEXT)

    assert response.phones[0].e164 == "+4930901820"


async def test_a_region_without_a_plan_is_the_callers_mistake(server: NormalizationServer) -> None:
    with pytest.raises(RefusedCall) as caught:
        await server.Normalize(pb.NormalizeRequest(default_region="ZZ", phones=["+79001234567"]), CONTEXT)

    assert caught.value.reason == "VALIDATION_ERROR"
    assert [violation.pointer for violation in caught.value.violations] == ["/default_region"]


async def test_normalize_many_answers_each_item_in_columns(server: NormalizationServer) -> None:
    request = pb.NormalizeManyRequest(
        items=[
            pb.NormalizeItem(default_region="RU", phones=["89001234567", "x"], emails=["A@B.com", ""]),
            pb.NormalizeItem(default_region="de", phones=["030 901820"]),
            pb.NormalizeItem(default_region="ZZ", phones=["030 901820", "+4930901820"]),
        ]
    )

    response = await server.NormalizeMany(request, CONTEXT)

    assert list(response.results) == [
        pb.NormalizeResult(
            e164=["+79001234567", ""],
            regions=["RU", ""],
            decided_by=b"\x04\x00",
            phone_refusals=b"\x00\x02",
            emails=["A@b.com", ""],
            email_refusals=b"\x00\x01",
        ),
        pb.NormalizeResult(e164=["+4930901820"], regions=["DE"], decided_by=b"\x04", phone_refusals=b"\x00"),
        pb.NormalizeResult(
            e164=["", "+4930901820"], regions=["", "DE"], decided_by=b"\x00\x01", phone_refusals=b"\x06\x00"
        ),
    ]


def test_the_domain_has_the_names_and_numbers_of_the_contract() -> None:
    refusals = {f"REFUSAL_{refusal.name}": refusal.value for refusal in Refusal}
    decisions = {f"DECIDED_BY_{decision.name}": decision.value for decision in DecidedBy}

    assert {"REFUSAL_UNSPECIFIED": 0, **refusals} == dict(pb.Refusal.items())
    assert {"DECIDED_BY_UNSPECIFIED": 0, **decisions} == dict(pb.DecidedBy.items())


def test_every_refusal_has_its_sentence() -> None:
    assert set(PHONE_SENTENCES) | set(EMAIL_SENTENCES) == set(Refusal)
    assert PHONE_SENTENCES[Refusal.NOT_A_NUMBER] == "Invalid phone number"
    assert all(sentence.startswith("Invalid phone number") for sentence in PHONE_SENTENCES.values())
    assert all(sentence.startswith("Invalid e-mail address") for sentence in EMAIL_SENTENCES.values())
