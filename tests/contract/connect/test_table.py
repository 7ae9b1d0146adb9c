"""The connect contacts API, row by row: the document (S), the vendor's other pages (D), our own choices (I).

Where a row can be observed it is a test, named by what it says and marked at its end.
"""

import re
from typing import Any

import httpx
import pytest

from libs.cli.stack.hub import Hub
from tests.contract.connect.asking import create, found, refused, unique
from tests.fixtures.spaces import STATUSES, Space, create_space

KEYS = [
    "id", "email", "photo", "firstName", "lastName", "fullName", "jobTitle", "companyName", "phoneNumbers",
    "facebookUrl", "instagramUrl", "linkedinUrl", "note", "lastActivityAt", "createdAt", "leadStatus",
]  # fmt: skip
WRITABLE = {
    "jobTitle": "Marketing Manager",
    "companyName": "Tech Solutions Inc",
    "facebookUrl": "https://facebook.com/jane",
    "instagramUrl": "https://instagram.com/jane",
    "linkedinUrl": "https://linkedin.com/in/jane",
    "note": "Просила перезвонить",
}


# Contacts


def test_create_answers_200_with_the_contact__s(connect: httpx.Client) -> None:
    email = f"{unique()}@example.com"
    given = {"email": email, "firstName": "Jane", "lastName": "Smith", "leadStatus": 1, **WRITABLE}

    made = create(connect, **given, phoneNumbers=["+79001234567", "8 (900) 123-45-68"])

    assert list(made) == KEYS
    assert isinstance(made["id"], int)
    assert {key: made[key] for key in WRITABLE} == WRITABLE
    assert (made["email"], made["fullName"]) == (email, "Jane Smith")
    assert made["phoneNumbers"] == ["+79001234567", "+79001234568"]
    assert made["leadStatus"] == {"id": 1, "label": "New Lead", "color": "#3B82F6"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", made["createdAt"])
    assert made["photo"] is made["lastActivityAt"] is None
    assert found(connect, email) == [made]


def test_every_readable_key_is_there_and_null_when_empty__s(connect: httpx.Client) -> None:
    name = unique()

    made = create(connect, firstName=name)

    assert list(made) == KEYS
    assert {key for key in KEYS if made[key] is not None} == {"id", "firstName", "fullName", "createdAt"}


def test_twitter_url_is_writable_and_not_readable__s(connect: httpx.Client) -> None:
    made = create(connect, firstName=unique(), twitterUrl="https://x.com/jane")

    assert "twitterUrl" not in made


@pytest.mark.parametrize("given", [{"email": "{}@example.com"}, {"firstName": "{}"}])
def test_an_email_or_a_first_name_is_enough__s(connect: httpx.Client, given: dict[str, str]) -> None:
    create(connect, **{key: value.format(unique()) for key, value in given.items()})


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, "At least email or firstName is required"),
        ({"lastName": "Smith", "email": None}, "At least email or firstName is required"),
        ({"email": " ", "firstName": "\t"}, "At least email or firstName is required"),
        ({"email": " ", "leadStatus": 99}, "At least email or firstName is required"),
        ({"email": "jane"}, "Invalid email"),
        ({"email": "jane@", "leadStatus": 99}, "Invalid email"),
        ({"email": 5, "firstName": "Jane"}, "Invalid email"),
        ({"firstName": "Jane", "leadStatus": 99}, "Invalid lead status"),
        ({"firstName": "Jane", "leadStatus": "1"}, "Invalid lead status"),
        ({"firstName": "Jane", "leadStatus": -1}, "Invalid lead status"),
        ({"firstName": "Jane", "leadStatus": 1.5}, "Invalid lead status"),
        ({"firstName": ["Jane"]}, "Invalid firstName"),
        ({"firstName": "Jane", "phoneNumbers": 5}, "Invalid phoneNumbers"),
        ({"firstName": "Jane", "note": "x" * 1_000_000}, "Invalid note"),
        ({"firstName": "J" * 1_000_000}, "Invalid firstName"),
    ],
)
def test_invalid_contacts_are_refused_in_the_documents_words_and_order__s_i(
    connect: httpx.Client, given: dict[str, Any], text: str
) -> None:
    before = len(found(connect, ""))

    refused(connect.post("contacts", json=given), 400, text)

    assert len(found(connect, "")) == before


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"x"', b"null", b"5", b'[{"firstName": "Jane"}]', b'{"firstName": "a\\u0000b"}', b"\xff",
     b'{"firstName": "a", "firstName": "b"}', b'{"firstName": "\\ud800"}', b'{"firstName": NaN}', b"[" * 100_000],
)  # fmt: skip
def test_bad_json_is_refused__i(connect: httpx.Client, body: bytes) -> None:
    refused(connect.post("contacts", content=body), 400, "Invalid JSON")


def test_another_workspaces_status_is_no_status__s(hub: Hub, connect: httpx.Client, admin: httpx.Client) -> None:
    more = create_space(hub, admin, lead_statuses=[*STATUSES, {"type": "lead", "label": "4", "color": "#000000"}])
    with more.connect() as theirs:
        create(theirs, firstName=unique(), leadStatus=4)

    refused(connect.post("contacts", json={"firstName": "Jane", "leadStatus": 4}), 400, "Invalid lead status")


def test_a_duplicate_email_makes_a_second_contact__i(connect: httpx.Client) -> None:
    email = f"{unique()}@example.com"

    first, second = create(connect, email=email), create(connect, email=email.upper())

    assert first["id"] != second["id"]
    assert found(connect, email) == [second, first]


def test_one_phone_may_stand_without_a_list__i(connect: httpx.Client) -> None:
    assert create(connect, firstName=unique(), phoneNumbers=" +79001234567 ")["phoneNumbers"] == ["+79001234567"]


def test_spaces_do_not_count_and_other_keys_are_ignored__i(connect: httpx.Client) -> None:
    name = unique()

    made = create(
        connect, firstName=f" {name} ", lastName="  ", photo="x", id=5_000_000, createdAt="x", unknown={"a": [1]}
    )

    assert (made["firstName"], made["lastName"], made["photo"], made["fullName"]) == (name, None, None, name)
    assert made["id"] != 5_000_000


def test_query_finds_first_name_last_name_and_email_alone__s(connect: httpx.Client) -> None:
    word = unique()
    by_first = create(connect, firstName=f"a{word}b")
    by_last = create(connect, firstName="Jane", lastName=f"a{word}b")
    by_email = create(connect, email=f"a{word}b@example.com")
    create(connect, firstName="Jane", companyName=word, jobTitle=word, note=word, phoneNumbers=[word])

    assert found(connect, word) == [by_email, by_last, by_first]


@pytest.mark.parametrize(
    ("name", "query", "finds"),
    [
        ("John", "jOHN", True),
        ("Ёлкин", "ёЛКИ", True),
        ("John", "  john  ", True),
        ("50% off", "0% o", True),
        ("50 off", "0% o", False),
        ("a_b", "a_b", True),
        ("acb", "a_b", False),
        ('O\'Neil "x"', "o'neil \"", True),
        ("back\\slash", "k\\s", True),
        ("John", "john; drop table contacts", False),
    ],
)
def test_query_is_a_literal_substring_whatever_the_case__s_i(
    connect: httpx.Client, name: str, query: str, *, finds: bool
) -> None:
    word = unique()
    made = create(connect, firstName=f"{word} {name}")

    contacts = found(connect, query)

    assert (made["id"] in [contact["id"] for contact in contacts]) is finds
    assert all(list(contact) == KEYS for contact in contacts)


@pytest.mark.parametrize("query", ["", " ", "%20%09"])
def test_a_blank_query_is_none__i(connect: httpx.Client, query: str) -> None:
    made = create(connect, firstName=unique())

    contacts = connect.get(f"contacts?query={query}").json()

    assert contacts == connect.get("contacts").json()
    assert contacts[0] == made


@pytest.mark.parametrize("query", ["nobody-has-this", "%00", "a%00b", "x" * 10_000])
def test_nothing_found_is_an_empty_array__s(connect: httpx.Client, query: str) -> None:
    answer = connect.get(f"contacts?query={query}")

    assert (answer.status_code, answer.json()) == (200, [])


def test_a_long_list_is_whole__s(hub: Hub, admin: httpx.Client) -> None:
    space = create_space(hub, admin)
    with space.connect() as http:
        made = [create(http, firstName=f"n{number}")["id"] for number in range(1, 620)]

        assert [contact["id"] for contact in http.get("contacts").json()] == made[::-1]
        assert len(found(http, "n")) == len(made)


def test_a_list_of_large_contacts_is_whole__s(hub: Hub, admin: httpx.Client) -> None:
    """More than one message between the hub's processes can hold."""
    with create_space(hub, admin).connect() as http:
        for number in range(80):
            create(http, firstName=f"n{number}", note="ё" * 65_536)

        contacts = http.get("contacts").json()

    assert [contact["firstName"] for contact in contacts] == [f"n{number}" for number in range(79, -1, -1)]
    assert {len(contact["note"]) for contact in contacts} == {65_536}


# Lead statuses and the user


def test_lead_statuses_are_those_of_the_workspace_in_order__s(connect: httpx.Client) -> None:
    answer = connect.get("contacts/lead-statuses")

    assert answer.status_code == 200
    assert answer.json() == [{"id": n, **status, "order": n} for n, status in enumerate(STATUSES, 1)]
    assert list(answer.json()[0]) == ["id", "type", "label", "color", "order"]


def test_me_is_the_keys_user_and_workspace__s(space: Space) -> None:
    key = space.connect_key("john@example.com")
    with space.connect(key) as http:
        answer = http.get("me")

    assert answer.status_code == 200
    told = answer.json()
    assert list(told) == ["details", "workspace"]
    assert list(told["details"]) == ["name", "email"]
    assert told["details"]["email"] == "john@example.com"
    assert told["workspace"] == {"name": "Acme Corporation"}
