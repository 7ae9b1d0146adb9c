"""Contacts off the wire."""

import json
from typing import Any

import pytest

from services.directory.domain.contact import ContactType, Details, Email, Phone, Tombstone, Unreadable
from services.directory.server.contacts_json import MalformedDeliveryError, read_contacts
from tests.fixtures.book import sent


def _only(**contact: Any) -> Details:
    (given,) = sent(contact)
    assert isinstance(given, Details)
    return given


def test_a_contact_of_the_import_api_is_read() -> None:
    given = _only(phone="+79001234567", tags=["лид", "сайт", "лид"], additionalFields={"source": "website"})

    assert (given.phone, given.tags, given.additional_fields) == (
        "+79001234567",
        ("лид", "сайт"),
        '{"source":"website"}',
    )
    assert given.identities == ("phone:+79001234567",)


def test_a_contact_with_everything_is_read() -> None:
    given = _only(
        phone="",
        phones=[{"number": "112", "label": "work"}, {"number": "+79001234567"}],
        emails=[{"email": "A@Example.com", "label": "private"}, {"email": "a@example.COM"}],
        first_name="Иван",
        type="lead",
        external_id="100",
        additionalFields={"lastName": "Петров", "e-mail": "b@example.com", "first_name": "Пётр"},
    )

    assert given.phone == "+79001234567"
    assert given.phones == (Phone("112", "work"), Phone("+79001234567"))
    assert given.emails == (Email("A@Example.com", "private"), Email("b@example.com"))
    assert (given.first_name, given.last_name, given.type) == ("Иван", "Петров", ContactType.LEAD)
    assert given.identities == (
        "phone:+79001234567",
        "email:a@example.com",
        "email:b@example.com",
        "id:100",
    )


def test_a_type_among_the_additional_fields_counts_where_none_is_given() -> None:
    assert _only(phone="+1", additionalFields={"type": "lead"}).type is ContactType.LEAD
    assert _only(phone="+1", type="customer", additionalFields={"type": "lead"}).type is ContactType.CUSTOMER


def test_additional_fields_stay_byte_for_byte() -> None:
    raw = '{ "firstName" : "\\u0418ван" , "n": 1.0e+2, "deep": {"a":[ ]} }'

    (given,) = read_contacts(f'[{{"phone":"+1","additionalFields":{raw} }}]'.encode())

    assert isinstance(given, Details)
    assert given.additional_fields == raw
    assert given.first_name == "Иван"


def test_a_tombstone_is_read() -> None:
    (given,) = sent({"phone": "", "tags": [], "additionalFields": {}, "external_id": "100", "deleted": True})

    assert isinstance(given, Tombstone)
    assert given.details.identities == ("id:100",)


@pytest.mark.parametrize(
    "bad",
    [
        7,
        None,
        [],
        {"phone": 7},
        {"phone": "+1", "tags": "лид"},
        {"phone": "+1", "additionalFields": []},
        {"phone": "+1", "additionalFields": None},
        {"phone": "+1", "first_name": "a\x00b"},
        {"phone": "+1", "emails": ["a@example.com"]},
        {"external_id": "x" * 1000},
    ],
)
def test_a_bad_contact_spoils_no_other(bad: Any) -> None:
    given = sent({"phone": "+1"}, bad, {"phone": "+2"})

    assert [type(each) for each in given] == [Details, Unreadable, Details]


def test_the_reason_holds_no_contact_data() -> None:
    (given,) = sent({"phone": "+79001234567", "tags": "Иван"})

    assert isinstance(given, Unreadable)
    assert "7900" not in given.reason
    assert "Иван" not in given.reason


@pytest.mark.parametrize("body", [b"", b"{}", b"[", b"[]", b"null", b"[" * 100_000, b"\xff", b"[{}] x", b'["\\ud800"]'])
def test_what_is_no_array_of_contacts_is_refused_whole(body: bytes) -> None:
    with pytest.raises(MalformedDeliveryError):
        read_contacts(body)


def test_more_than_a_thousand_are_refused_whole() -> None:
    body = json.dumps([{"phone": "+1"}] * 1001).encode()

    with pytest.raises(MalformedDeliveryError):
        read_contacts(body)
