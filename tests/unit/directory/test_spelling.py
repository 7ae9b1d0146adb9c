"""Fields found among the additional ones."""

import pytest

from services.directory.domain.contact import ContactType
from services.directory.domain.spelling import Spelled, spelled_fields, spelled_type


@pytest.mark.parametrize(
    "key",
    [
        "first_name",
        "firstName",
        "FirstName",
        "first-name",
        "First Name",
        "first name",
        "FIRST_NAME",
        "firstname",
        "Имя",
    ],
)
def test_a_first_name_is_known_in_all_its_spellings(key: str) -> None:
    assert spelled_fields({key: " Иван "}) == {Spelled.FIRST_NAME: "Иван"}


@pytest.mark.parametrize(
    "key", ["email", "Email", "EMAIL", "e-mail", "E-mail", "E-Mail", "e_mail", "mail", "emailAddress"]
)
def test_an_email_is_known_in_all_its_spellings(key: str) -> None:
    assert spelled_fields({key: "a@example.com"}) == {Spelled.EMAIL: "a@example.com"}


@pytest.mark.parametrize("key", ["company", "Company", "companyName", "company_name", "CompanyName", "Компания"])
def test_a_company_is_known_in_all_its_spellings(key: str) -> None:
    assert spelled_fields({key: "Ромашка"}) == {Spelled.COMPANY: "Ромашка"}


@pytest.mark.parametrize("value", [None, 7, True, [], {}, "", "  ", "x" * 257])
def test_what_cannot_be_a_name_is_none(value: object) -> None:
    assert spelled_fields({"firstName": value, "last_name": "Петров"}) == {Spelled.LAST_NAME: "Петров"}


@pytest.mark.parametrize("value", ["none", "@example.com", "a@", "a b@example.com", "a" * 310 + "@example.com"])
def test_what_cannot_be_an_address_is_none(value: str) -> None:
    assert spelled_fields({"email": value}) == {}


def test_of_two_spellings_the_first_counts_and_a_bad_one_does_not_hide_the_next() -> None:
    assert spelled_fields({"email": "-", "mail": "a@example.com", "Mail": "b@example.com"}) == {
        Spelled.EMAIL: "a@example.com"
    }


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"type": "lead"}, ContactType.LEAD),
        ({"Type": " Customer "}, ContactType.CUSTOMER),
        ({"type": "partner"}, ContactType.NOT_GIVEN),
        ({"type": 7}, ContactType.NOT_GIVEN),
        ({}, ContactType.NOT_GIVEN),
    ],
)
def test_a_type_is_one_of_the_two_words(fields: dict[str, object], kind: ContactType) -> None:
    assert spelled_type(fields) is kind
