"""A body that is no import is refused in the one envelope, with the right status, by processes that live on."""

import json
from typing import Any

import pytest

from tests.contract.refusals import assert_refused, headers
from tests.fixtures.partner import Partner

pytestmark = pytest.mark.usefixtures("processes")

GOOD = b'[{"phone":"+79001234567"}]'
INSIDE = b'[{"phone":"+79001234567","additionalFields":{"x":%s}}]'
DEEP = 100_000
MEGABYTE = 1 << 20


NOT_JSON = {
    "empty": b"",
    "white space": b" \n",
    "null": b"null",
    "true": b"true",
    "a number": b"7",
    "a string": b'"x"',
    "NaN": INSIDE % b"NaN",
    "NaN for a phone": b'[{"phone":NaN}]',
    "Infinity": INSIDE % b"Infinity",
    "-Infinity": INSIDE % b"-Infinity",
    "a number over every double": INSIDE % b"1e999",
    "a leading zero": INSIDE % b"01",
    "a plus": INSIDE % b"+1",
    "hex": INSIDE % b"0x1F",
    "deep arrays": b"[" * DEEP,
    "deep arrays closed": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep inside": INSIDE % (b"[" * DEEP + b"]" * DEEP),
    "a million digits": INSIDE % (b"9" * 10**6),
    "a million digits behind a point": INSIDE % (b"0." + b"9" * 10**6),
    "twice the same name": b'[{"phone":"+79001234567","phone":"+79001234568"}]',
    "twice the same name in additionalFields": INSIDE % b'1,"x":1',
    "twice the same name deep down": INSIDE % b'[{"a":{"b":1,"b":1}}]',
    "twice, white space before the colon": b'[{"phone" :"+79001234567","phone"\t: "+79001234567"}]',
    "twice, one escaped": b'[{"phone":"+79001234567","p\\u0068one":"+79001234567"}]',
    "twice, both escaped": INSIDE % rb'1,"\u0079":1,"\u0079":2',
    "twice, escaped in other cases": INSIDE % rb'1,"\u00e9":1,"\u00E9":2',
    "twice, escaped and in UTF-8": INSIDE % rb'1,"\u043b":1,"' + "л".encode() + b'":2',
    "twice, an escaped solidus": INSIDE % rb'1,"a/b":1,"a\/b":2',
    "twice, an escaped quote": INSIDE % rb'1,"a\"b":1,"a\u0022b":2',
    "twice, an escaped colon": INSIDE % rb'1,"a\u003a":1,"a:":2',
    "twice, the second hidden by a quoted colon": INSIDE % rb'"\":",":":1,":":2',
    "twice an empty name": INSIDE % b'1,"":1,"":2',
    "an unknown member twice": b'[{"phone":"+79001234567","y":1,"y":2}]',
    "escaped NUL": b'[{"phone":"\\u0000"}]',
    "escaped NUL inside": INSIDE % rb'"a\u0000b"',
    "escaped NUL in a name": INSIDE % rb'{"\u0000":1}',
    "NUL": b'[{"phone":"\x00"}]',
    "NUL behind": GOOD + b"\x00",
    "half a surrogate pair": b'[{"phone":"\\ud800"}]',
    "the other half": INSIDE % rb'"\udc00"',
    "half a pair in a name": INSIDE % rb'{"\ud83d":1}',
    "halves in the wrong order": INSIDE % rb'"\ude00\ud83d"',
    "a surrogate in UTF-8": INSIDE % b'"\xed\xa0\x80"',
    "a byte order mark": b"\xef\xbb\xbf" + GOOD,
    "UTF-16": GOOD.decode().encode("utf-16"),
    "UTF-16 without a mark": GOOD.decode().encode("utf-16-le"),
    "UTF-32": GOOD.decode().encode("utf-32"),
    "a lone byte": b'[{"phone":"\xff"}]',
    "windows-1251": '[{"phone":"+79001234567","tags":["лид"]}]'.encode("cp1251"),
    "an overlong encoding": INSIDE % b'"\xc0\xaf"',
    "half a character": INSIDE % b'"\xd0"',
    "beyond Unicode": INSIDE % b'"\xf4\x90\x80\x80"',
    "a raw newline in a string": INSIDE % b'"a\nb"',
    "an unknown escape": INSIDE % rb'"\x41"',
    "a short escape": INSIDE % rb'"\u00"',
    "a comment": GOOD + b"// x",
    "two documents": GOOD + GOOD,
    "a comma at the end": b'[{"phone":"+79001234567"},]',
    "a comma in an object": b'[{"phone":"+79001234567",}]',
    "single quotes": b"[{'phone':'+79001234567'}]",
    "a name without quotes": b'[{phone:"+79001234567"}]',
    "a form": b"phone=%2B79001234567",
    "XML": b"<contact/>",
    "an empty array": b"[]",
    "an array in the array": b"[[]]",
    "gzip": b"\x1f\x8b\x08\x00",
}  # fmt: skip


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_body_that_is_no_import_is_refused(steady_partner: Partner, body: bytes) -> None:
    assert_refused(steady_partner.post(body), 400, "validation_error")


def test_body_that_ends_anywhere_is_refused(steady_partner: Partner) -> None:
    whole = (
        '[{"phone":"+79001234567","tags":["лид"],"additionalFields":{"a":[1.5e3,null,true,{"b":"\\u043b"}]}}]'.encode()
    )

    for end in range(1, len(whole)):
        assert_refused(steady_partner.post(whole[:end]), 400, "validation_error")

    assert steady_partner.post(whole).status_code == 202


VALUES: dict[str, Any] = {"null": None, "true": True, "number": 7, "string": "x", "array": [1], "object": {"a": 1}}
POSITIONS: dict[str, tuple[str, set[str]]] = {
    "": ('%s', set()),
    "/0": ("[%s]", set()),
    "/1": ('[{"phone":"+79001234567"},%s]', set()),
    "/phone": ('{"phone":%s}', set()),
    "/0/phone": ('[{"phone":%s}]', set()),
    "/0/tags": ('[{"phone":"+79001234567","tags":%s}]', set()),
    "/0/tags/1": ('[{"phone":"+79001234567","tags":["a",%s]}]', {"string"}),
    "/0/additionalFields": ('[{"phone":"+79001234567","additionalFields":%s}]', {"object"}),
    "/additionalFields": ('{"phone":"+79001234567","additionalFields":%s}', {"object"}),
}  # fmt: skip
WRONG = [(at, text, kind) for at, (text, right) in POSITIONS.items() for kind in VALUES if kind not in right]


@pytest.mark.parametrize(("pointer", "text", "kind"), WRONG, ids=[f"{kind} at {at or '/'}" for at, _, kind in WRONG])
def test_value_of_the_wrong_type_is_pointed_at(steady_partner: Partner, pointer: str, text: str, kind: str) -> None:
    refused = assert_refused(steady_partner.post((text % json.dumps(VALUES[kind])).encode()), 400, "validation_error")

    pointers = [detail["pointer"] for detail in refused["details"]]
    assert any(each.startswith(pointer) for each in pointers), pointers
    assert all(set(detail) <= {"pointer", "code", "message", "value"} for detail in refused["details"])
    assert all(len(detail.get("value", "")) <= 64 for detail in refused["details"])


@pytest.mark.parametrize(
    ("kind", "value"), [("every kind of value", '[null,true,-0.5e-3,"ё",{},[]]'), ("long", f'"{"x" * MEGABYTE}"')]
)
def test_additional_fields_hold_anything_that_is_json(steady_partner: Partner, kind: str, value: str) -> None:
    assert steady_partner.post(INSIDE % value.encode()).status_code == 202


def test_faults_of_all_rows_are_counted_and_a_hundred_are_told(steady_partner: Partner) -> None:
    refused = assert_refused(steady_partner.post([{"phone": 1}] * 1000), 400, "validation_error")

    assert (len(refused["details"]), refused["total_errors"]) == (100, 1000)


@pytest.mark.parametrize("size", [8 * MEGABYTE + 1, 10 * MEGABYTE])
def test_body_over_the_limit_is_too_large(steady_partner: Partner, size: int) -> None:
    body = INSIDE % (b'"' + b"x" * (size - len(INSIDE)) + b'"')

    assert_refused(steady_partner.post(body), 413, "payload_too_large")


def test_chunked_body_over_the_limit_is_too_large(steady_partner: Partner) -> None:
    answer = steady_partner.http.post(
        "/v1/contacts/import", content=(b" " * MEGABYTE for _ in range(10)), headers=headers(steady_partner)
    )

    assert_refused(answer, 413, "payload_too_large")


def test_object_with_very_many_names_is_taken(steady_partner: Partner) -> None:
    fields = {f"name{number}": number for number in range(100_000)}

    accepted = steady_partner.post([{"phone": "+79001234567", "additionalFields": fields}])

    assert accepted.status_code == 202


def test_contact_with_very_many_unknown_names_is_taken(steady_partner: Partner) -> None:
    accepted = steady_partner.post([{"phone": "+79001234567"} | {f"name{number}": number for number in range(100_000)}])

    assert accepted.status_code == 202


def test_hub_still_imports(steady_partner: Partner) -> None:
    assert steady_partner.finished(steady_partner.post(GOOD).json()["job_id"])["sent_contacts"] == 1
