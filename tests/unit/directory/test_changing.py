"""What an operator changes by hand, under whatever names people give the fields."""

import pytest

from services.directory.domain.bag import put_into_bag
from services.directory.domain.changing import with_values
from services.directory.domain.contact import ContactType, Details, Email
from services.directory.domain.defaults import first_workspace
from services.directory.domain.errors import ValueRefusedError
from tests.fixtures.book import person


def _with(details: Details, phone: str = "", **values: str) -> Details:
    return with_values(details, values, first_workspace(), phone=phone)


def test_names_are_read_in_the_usual_spellings() -> None:
    changed = _with(person(1), firstName="Ann", last_name="Lee", Company="Acme", email="a@example.com", type="lead")

    assert (changed.first_name, changed.last_name, changed.company) == ("Ann", "Lee", "Acme")
    assert changed.emails == (Email("a@example.com"),)
    assert changed.type is ContactType.LEAD


def test_a_spelling_among_the_additional_fields_follows() -> None:
    known = person(1, first_name="Ann", additional_fields='{"firstName": "Ann",  "x": 1.50}')

    changed = _with(known, first_name="Anna")

    assert changed.additional_fields == '{"firstName":"Anna","x":1.50}'


def test_an_empty_value_takes_away_what_was_there() -> None:
    known = person(1, emails=(Email("a@example.com"),), additional_fields='{"city": "Pune"}')

    changed = _with(known, email="", city="", phone_number="")

    assert (changed.emails, changed.additional_fields, changed.phone) == ((), "{}", known.phone)


@pytest.mark.parametrize(
    ("name", "value"), [("email", "nobody"), ("type", "friend"), ("rating", "five"), ("phone", "12")]
)
def test_a_value_that_does_not_fit_is_told_with_its_field(name: str, value: str) -> None:
    with pytest.raises(ValueRefusedError) as refused:
        with_values(person(1), {name: value}, first_workspace(), phone="")

    assert refused.value.field == name


def test_a_value_goes_under_the_name_that_is_there() -> None:
    assert put_into_bag('{"job_title": "CEO", "x": 2}', {"jobTitle": "CTO"}) == '{"job_title":"CTO","x":2}'
