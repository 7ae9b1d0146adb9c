"""Finding a person in contacts JSON, and leaving nothing of them."""

import json
from typing import Any

import pytest

from services.directory.domain.spelling import _FIELDS, Spelled, spelled_fields
from services.ingestion.domain.erasure import Person
from services.ingestion.wire.persons import _EMAIL_NAMES, WrittenContacts

TEXT = WrittenContacts()
IVAN = Person(phones=("+79001234567", "8 900 123 45 67"), emails=("ivan@example.com",), external_ids=("crm-1",))


def written(*contacts: dict[str, Any]) -> bytes:
    return json.dumps([{"phone": "", "tags": [], "additionalFields": {}} | each for each in contacts]).encode()


@pytest.mark.parametrize(
    "contact",
    [
        {"phone": "+79001234567"},
        {"phone": " 8 900 123 45 67 "},
        {"phones": [{"number": "+79007654321", "label": ""}, {"number": "+79001234567", "label": "work"}]},
        {"emails": [{"email": "Ivan@Example.com", "label": ""}]},
        {"external_id": "crm-1"},
        {"additionalFields": {"E-mail": " IVAN@example.com"}},
    ],
)
def test_any_identity_finds_a_contact(contact: dict[str, Any]) -> None:
    assert list(TEXT.find(written({"phone": "+79000000000"}, contact, {}), IVAN)) == [1]


@pytest.mark.parametrize(
    "contact",
    [
        {"phone": "+790012345678"},
        {"external_id": "CRM-1"},
        {"tags": ["crm-1", "+79001234567"]},
        {"additionalFields": {"manager": "ivan@example.com", "id": "crm-1", "phone": "+79001234567"}},
        {"additionalFields": {"email": ["ivan@example.com"]}},
    ],
)
def test_other_values_find_nobody(contact: dict[str, Any]) -> None:
    assert list(TEXT.find(written(contact), IVAN)) == []


def test_an_escape_hides_nobody() -> None:
    body = rb'[{"phone":"","additionalFields":{"\u0065mail":"\u0069van\u0040example.com"}}]'

    assert list(TEXT.find(body, IVAN)) == [0]


def test_a_blank_contact_has_its_place_and_nothing_else() -> None:
    body = written({"phone": "+79001234567", "external_id": "crm-1"}, {"phone": "+79000000000"})

    blank = json.loads(TEXT.blank(body, [0]))

    assert blank == [{"phone": "", "tags": [], "additionalFields": {}}, json.loads(body)[1]]
    assert list(TEXT.find(json.dumps(blank).encode(), IVAN)) == []


def test_persons_do_not_print_themselves() -> None:
    assert "7900" not in repr(IVAN)
    assert "ivan" not in str(IVAN)


@pytest.mark.parametrize("name", ["email", "E-Mail", "e_mail", "EMAIL_ADDRESS", "emailAddress", "Mail", "Почта"])
def test_whatever_the_book_takes_for_an_e_mail_is_found(name: str) -> None:
    assert spelled_fields({name: "ivan@example.com"}) == {Spelled.EMAIL: "ivan@example.com"}

    assert list(TEXT.find(written({"additionalFields": {name: "ivan@example.com"}}), IVAN)) == [0]


def test_every_spelling_of_the_book_is_known_here() -> None:
    spelled = {name for name, field in _FIELDS.items() if field is Spelled.EMAIL}

    assert {name.casefold().translate(str.maketrans("", "", " -_")) for name in spelled} == _EMAIL_NAMES
