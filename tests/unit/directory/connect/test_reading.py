"""What the connect API takes: its order of judgement and its words."""

from typing import Any

import pytest

from services.directory.domain.connect.reading import NewContact, Unfit, details_of_new, read_new
from services.directory.domain.contact import Email, Phone
from services.directory.domain.workspace import LeadStatus

STATUSES = (LeadStatus(1, "lead", "New Lead", "#3B82F6", 1), LeadStatus(7, "qualified", "Хороший", "#10B981", 2))
PRESENCE, EMAIL, STATUS = "At least email or firstName is required", "Invalid email", "Invalid lead status"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, PRESENCE),
        ({"lastName": "Doe"}, PRESENCE),
        ({"email": None, "firstName": None}, PRESENCE),
        ({"email": "", "firstName": " \t "}, PRESENCE),
        ({"email": " ", "leadStatus": 99}, PRESENCE),
        ({"email": "x"}, EMAIL),
        ({"email": "x@"}, EMAIL),
        ({"email": "@x.org"}, EMAIL),
        ({"email": "a@b"}, EMAIL),
        ({"email": "a b@x.org"}, EMAIL),
        ({"email": "a@x.org, b@x.org"}, EMAIL),
        ({"email": "a@x..org"}, EMAIL),
        ({"email": "a@x.org\n.x"}, EMAIL),
        ({"email": "a" * 400 + "@x.org"}, EMAIL),
        ({"email": 5}, EMAIL),
        ({"email": ["a@x.org"]}, EMAIL),
        ({"email": "x", "leadStatus": 99}, EMAIL),
        ({"email": "x", "firstName": "Jane"}, EMAIL),
        ({"firstName": "Jane", "leadStatus": 99}, STATUS),
        ({"firstName": "Jane", "leadStatus": 0}, STATUS),
        ({"firstName": "Jane", "leadStatus": -1}, STATUS),
        ({"firstName": "Jane", "leadStatus": "1"}, STATUS),
        ({"firstName": "Jane", "leadStatus": 1.0}, STATUS),
        ({"firstName": "Jane", "leadStatus": True}, STATUS),
        ({"firstName": "Jane", "leadStatus": {"id": 1}}, STATUS),
        ({"firstName": "Jane", "leadStatus": 10**30}, STATUS),
        ({"firstName": "Jane", "leadStatus": 99, "lastName": 5}, STATUS),
        ({"firstName": 5}, "Invalid firstName"),
        ({"firstName": "x" * 257}, "Invalid firstName"),
        ({"firstName": "Jane", "lastName": ["Doe"]}, "Invalid lastName"),
        ({"firstName": "Jane", "note": "x" * 1_000_000}, "Invalid note"),
        ({"firstName": "Jane", "twitterUrl": 5}, "Invalid twitterUrl"),
        ({"firstName": "Jane", "phoneNumbers": 79001234567}, "Invalid phoneNumbers"),
        ({"firstName": "Jane", "phoneNumbers": ["1", 2]}, "Invalid phoneNumbers"),
        ({"firstName": "Jane", "phoneNumbers": ["1", None]}, "Invalid phoneNumbers"),
        ({"firstName": "Jane", "phoneNumbers": {"main": "1"}}, "Invalid phoneNumbers"),
        ({"firstName": "Jane", "phoneNumbers": ["1"] * 51}, "Invalid phoneNumbers"),
        ({"firstName": "Jane", "phoneNumbers": "1" * 65}, "Invalid phoneNumbers"),
    ],
)
def test_refusals_come_in_the_order_of_the_facts(given: dict[str, Any], message: str) -> None:
    assert read_new(given, STATUSES) == Unfit(message)


@pytest.mark.parametrize(
    ("phones", "read"),
    [
        (None, ()),
        ([], ()),
        ("", ()),
        ("  +1 ", ("+1",)),
        (["+1", " ", "+2 "], ("+1", "+2")),
    ],
)
def test_phones_are_a_list_or_one(phones: Any, read: tuple[str, ...]) -> None:
    new = read_new({"firstName": "Jane", "phoneNumbers": phones}, STATUSES)

    assert isinstance(new, NewContact)
    assert new.phones == read


def test_a_contact_keeps_all_that_was_given() -> None:
    given = {
        "email": " jane@example.com ",
        "firstName": " Jane ",
        "lastName": "Smith",
        "jobTitle": "Marketing Manager",
        "companyName": "Tech Solutions Inc",
        "phoneNumbers": ["ask me", "8 900 123-45-67", "+79001234567"],
        "twitterUrl": "https://x.com/jane",
        "note": "  ",
        "leadStatus": 7,
        "photo": "not writable",
        "id": 5,
    }

    new = read_new(given, STATUSES)
    assert isinstance(new, NewContact)
    details = details_of_new(new, {"8 900 123-45-67": "+79001234567", "+79001234567": "+79001234567"})

    assert (details.first_name, details.last_name, details.company) == ("Jane", "Smith", "Tech Solutions Inc")
    assert details.emails == (Email("jane@example.com"),)
    assert (details.phone, details.phones) == ("+79001234567", (Phone("ask me"),))
    assert details.additional_fields == (
        '{"jobTitle":"Marketing Manager","twitterUrl":"https://x.com/jane","leadStatus":"Хороший"}'
    )
    assert repr(new).find("jane") == -1
