"""Bodies and headers of the import API."""

import hashlib
import json
from typing import Any

import pytest

from services.ingestion.domain.errors import Invalid, Refused
from services.ingestion.domain.judging import Judged
from services.ingestion.rest.body import MAXIMUM_BYTES, decode
from services.ingestion.rest.headers import check_content_encoding, check_content_type, idempotency_key, is_dry_run


def judged(*phones: str) -> Judged:
    return Judged(phones=phones, regions=[""] * len(phones), decided_by=bytes(len(phones)), kept=range(len(phones)))


async def refusal(body: Any) -> Refused:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(Refused) as caught:
        await decode(raw)
    return caught.value


async def test_one_object_is_one_row() -> None:
    body = await decode(b' {"phone": "8900", "tags": ["a"], "additionalFields": {"k" : 1.0}} ')

    assert body.rows.columns.phones == ["8900"]
    assert body.rows.pointer(0) == ""
    assert body.rows.submitted(0) == b'{"phone": "8900", "tags": ["a"], "additionalFields": {"k" : 1.0}}'
    assert body.rows.written([0], judged("+7900")) == b'[{"phone":"+7900","tags":["a"],"additionalFields":{"k" : 1.0}}]'


async def test_an_array_is_its_rows_with_what_is_missing_filled_in() -> None:
    body = await decode(b'[{"phone": "1"}, {"phone": "2", "note": [1e400], "x": "\\u043b"}]'.replace(b"1e400", b"1.50"))

    assert body.rows.columns.phones == ["1", "2"]
    assert body.rows.pointer(1) == "/1"
    assert body.rows.unknown == {1: b'{"note":[1.50],"x":"\\u043b"}'}
    assert body.rows.submitted(0) == b'{"phone": "1"}'
    assert body.rows.written([1], judged("+1", "+2")) == b'[{"phone":"+2","tags":[],"additionalFields":{}}]'


async def test_fields_are_kept_byte_for_byte() -> None:
    fields = b'{"id":12345678901234567890, "f" : 1.10,\n"s":"\\u00e9\\/"}'

    body = await decode(b'[{"additionalFields":' + fields + b',"phone":"1"}]')

    assert fields in body.rows.written([0], judged("+1"))


async def test_both_hashes_are_told() -> None:
    raw, again = b'[{"phone": "1", "tags": []}]', b'[{"tags":[],"phone":"1"}]'

    one, other = await decode(raw), await decode(again)

    assert one.fingerprint.body == hashlib.sha256(raw).digest()
    assert one.fingerprint.canonical == other.fingerprint.canonical
    assert one.fingerprint.body != other.fingerprint.body


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ([], [("", "empty")]),
        (17, [("", "wrong_type")]),
        ("text", [("", "wrong_type")]),
        (None, [("", "wrong_type")]),
        ([1], [("/0", "wrong_type")]),
        ([[{"phone": "1"}]], [("/0", "wrong_type")]),
        ({}, [("/phone", "missing")]),
        ([{"phone": 79001234567}], [("/0/phone", "wrong_type")]),
        ([{"phone": None}, {"phone": "1", "tags": None}], [("/0/phone", "wrong_type"), ("/1/tags", "wrong_type")]),
        ([{"phone": "1", "tags": ["a", 1, ["b"]]}], [("/0/tags/1", "wrong_type"), ("/0/tags/2", "wrong_type")]),
        ([{"phone": "1", "additionalFields": []}], [("/0/additionalFields", "wrong_type")]),
        ([{"phone": "1", "additionalFields": None}], [("/0/additionalFields", "wrong_type")]),
        ([{"tags": "a", "additionalFields": 1}], [
            ("/0/phone", "missing"), ("/0/tags", "wrong_type"), ("/0/additionalFields", "wrong_type"),
        ]),
    ],
)  # fmt: skip
async def test_rows_of_the_wrong_shape_are_refused_with_their_places(body: Any, faults: list[tuple[str, str]]) -> None:
    found = await refusal(body)

    assert (found.reason, found.message) == ("VALIDATION_ERROR", "Request validation failed")
    assert [(fault.pointer, fault.code) for fault in found.violations] == faults


async def test_ten_thousand_rows_are_taken_and_one_more_is_too_large() -> None:
    rows = [{"phone": "1"}] * 10_000

    taken, refused = await decode(json.dumps(rows).encode()), await refusal([*rows, rows[0]])

    assert len(taken.rows.columns.phones) == 10_000
    assert (refused.reason, refused.fields) == ("PAYLOAD_TOO_LARGE", {"limit": "10000"})


async def test_eight_mebibytes_are_taken_and_one_byte_more_is_too_large() -> None:
    body = b'{"phone":"' + b"1" * (MAXIMUM_BYTES - 12) + b'"}'

    taken, refused = await decode(body), await refusal(body + b" ")

    assert len(taken.rows.columns.phones[0]) == MAXIMUM_BYTES - 12
    assert refused.reason == "PAYLOAD_TOO_LARGE"


@pytest.mark.parametrize(
    "given",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/json;charset=utf8",
        "application/json; ",
        "application/json; version=1; charset=utf-8",
    ],
)
def test_json_in_utf_8_is_taken(given: str) -> None:
    check_content_type(given)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "text/json",
        "application/json; charset=utf-16",
        "application/jsonx",
        "application/json, text/plain",
        "application/json; charset",
        "application/json; charset=utf-8; charset=utf-16",
    ],
)
def test_any_other_content_type_is_refused(given: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_content_type(given)

    assert caught.value.message == "Content-Type must be application/json"


@pytest.mark.parametrize("headers", [{}, {"content-encoding": "identity"}, {"content-encoding": ""}])
def test_a_body_as_it_is_is_taken(headers: dict[str, str]) -> None:
    check_content_encoding(headers)


@pytest.mark.parametrize("given", ["gzip", "br", "GZIP", "identity, gzip"])
def test_a_packed_body_is_told_that_it_must_not_be(given: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_content_encoding({"content-encoding": given})

    assert caught.value.message == "Content-Encoding is not supported; send the body as plain JSON"


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ("550e8400-e29b", "550e8400-e29b"),
        ('"550e8400"', "550e8400"),
        (' "a\\"b\\\\c" ', 'a"b\\c'),
        ('"', '"'),
        ("a b", "a b"),
        ("k" * 255, "k" * 255),
    ],
)
def test_the_key_is_read_with_or_without_quotes(given: str, key: str) -> None:
    assert idempotency_key([("x", "y"), ("idempotency-key", given)]) == key


@pytest.mark.parametrize("metadata", [[], [("idempotency-key", "")], [("idempotency-key", '""')]])
def test_a_missing_key_is_told_in_the_words_of_the_contract(metadata: list[tuple[str, str]]) -> None:
    with pytest.raises(Invalid) as caught:
        idempotency_key(metadata)

    assert caught.value.message == "Idempotency-Key header is required"
    assert not caught.value.violations


@pytest.mark.parametrize("given", ["k" * 256, "a\tb", "ключ", "a\x7f"])
def test_an_odd_key_is_refused(given: str) -> None:
    with pytest.raises(Invalid):
        idempotency_key([("idempotency-key", given)])


def test_a_key_given_twice_is_refused() -> None:
    with pytest.raises(Invalid):
        idempotency_key([("idempotency-key", "a"), ("idempotency-key", "a")])


@pytest.mark.parametrize(("given", "dry"), [("true", True), ("TRUE", True), ("1", False), ("yes", False), ("", False)])
def test_a_dry_run_is_asked_for_by_true_alone(given: str, *, dry: bool) -> None:
    assert is_dry_run({"x-debug": given}) is dry
    assert not is_dry_run({})
