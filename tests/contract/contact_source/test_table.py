"""The custom contact source, row by row: the document (s), the vendor's other pages (d), our own choices (i)."""

import time

import httpx
import pytest

from tests.contract.contact_source.asking import fill, pages, refused
from tests.fixtures.spaces import Space

KEYS = ["id", "first_name", "last_name", "company", "type", "phones", "emails"]


# Parameters


@pytest.mark.parametrize("path", ["contacts?", "contacts/delta?timestamp=0&"])
@pytest.mark.parametrize("name", ["limit", "page"])
@pytest.mark.parametrize("value", ["0", "-1", "1.5", "abc", "", "1e2", "%20", "null", "9" * 40, "%00", "1%202"])
def test_bad_pages_are_refused__i(caller: httpx.Client, path: str, name: str, value: str) -> None:
    refused(caller.get(f"{path}{name}={value}"), 400)


@pytest.mark.parametrize("value", ["1001", "1000000"])
def test_a_limit_is_at_most_1000__i(caller: httpx.Client, value: str) -> None:
    refused(caller.get(f"contacts?limit={value}"), 400)


@pytest.mark.parametrize("query", ["", "timestamp=", "timestamp=-1", "timestamp=1.5", "timestamp=abc",
                                   "timestamp=1744797148000", "timestamp=2025-04-16T09:52:28Z"])  # fmt: skip
def test_a_timestamp_is_needed_and_in_seconds__s_i(caller: httpx.Client, query: str) -> None:
    refused(caller.get(f"contacts/delta?{query}"), 400)


@pytest.mark.parametrize("path", ["contacts?page=50", "contacts/delta?timestamp=0&page=50"])
def test_a_page_past_the_end_is_empty__i(caller: httpx.Client, path: str) -> None:
    answer = caller.get(path)

    assert answer.status_code == 200
    assert set(map(str, answer.json().values())) == {"[]", "False"}


# Contacts


def test_contacts_look_as_documented__s(connect: httpx.Client, source: httpx.Client) -> None:
    given = {"firstName": "Victor", "lastName": "Donnelly", "companyName": "eos", "email": "v@example.com",
             "phoneNumbers": ["+79001234567"]}  # fmt: skip
    connect.post("contacts", json=given)

    answer = source.get("contacts", params={"limit": 2, "page": 1})

    assert answer.status_code == 200
    assert list(answer.json()) == ["contacts", "has_more"]
    (contact,) = answer.json()["contacts"]
    assert list(contact) == KEYS
    assert isinstance(contact["id"], str)
    assert contact | {"id": ""} == {
        "id": "",
        "first_name": "Victor",
        "last_name": "Donnelly",
        "company": "eos",
        "type": "customer",
        "phones": [{"number": "+79001234567", "label": "other"}],
        "emails": [{"email": "v@example.com", "label": "other"}],
    }


def test_names_are_always_there_and_lists_too__s_i(connect: httpx.Client, source: httpx.Client) -> None:
    connect.post("contacts", json={"email": "v@example.com"})
    connect.post("contacts", json={"firstName": "Victor"})

    contacts = source.get("contacts").json()["contacts"]

    assert [(each["first_name"], each["last_name"]) for each in contacts] == [("v@example.com", "-"), ("Victor", "-")]
    assert (contacts[0]["phones"], contacts[1]["emails"]) == ([], [])


@pytest.mark.parametrize(("count", "limit", "sizes"), [(0, 2, [0]), (1, 2, [1]), (4, 2, [2, 2]), (5, 2, [2, 2, 1])])
def test_pages_are_full_and_by_id__s_i(
    connect: httpx.Client, source: httpx.Client, count: int, limit: int, sizes: list[int]
) -> None:
    fill(connect, count)

    read = list(pages(source, "contacts", limit=limit))

    assert [len(page["contacts"]) for page in read] == sizes
    ids = [contact["id"] for page in read for contact in page["contacts"]]
    assert ids == sorted(set(ids))
    assert [contact["first_name"] for page in read for contact in page["contacts"]] == [f"N{n}" for n in range(count)]


def test_page_1_and_a_limit_of_100_are_usual__i(connect: httpx.Client, source: httpx.Client) -> None:
    fill(connect, 101)

    answer = source.get("contacts").json()

    assert (len(answer["contacts"]), answer["has_more"]) == (100, True)


# Delta


def test_created_and_changed_count_as_updated_and_deleted_is_listed_by_id__s_i(
    space: Space, connect: httpx.Client, source: httpx.Client
) -> None:
    fill(connect, 4)
    ids = [contact["id"] for contact in source.get("contacts").json()["contacts"]]
    space.change(ids[1], company="eos")
    space.delete(ids[2])

    answer = source.get("contacts/delta", params={"timestamp": 0}).json()

    assert list(answer) == ["updated", "deleted", "has_more"]
    assert [contact["id"] for contact in answer["updated"]] == [ids[0], ids[3], ids[1]]
    assert (answer["deleted"], answer["has_more"]) == ([ids[2]], False)
    assert answer["updated"][2]["company"] == "eos"


def test_the_timestamps_second_is_included_and_the_one_before_is_not__i(
    connect: httpx.Client, source: httpx.Client
) -> None:
    fill(connect, 1)
    changed = _settled_second(source)

    at, after = (source.get("contacts/delta", params={"timestamp": changed + n}).json() for n in (0, 1))

    assert len(at["updated"]) == 1
    assert after == {"updated": [], "deleted": [], "has_more": False}


def _settled_second(source: httpx.Client) -> int:
    """The second in which the one contact changed: the last one whose delta has it."""
    now = int(time.time())
    return next(
        second
        for second in range(now + 1, now - 60, -1)
        if source.get("contacts/delta", params={"timestamp": second}).json()["updated"]
    )


def test_a_future_timestamp_finds_nothing__i(connect: httpx.Client, source: httpx.Client) -> None:
    fill(connect, 1)

    answer = source.get("contacts/delta", params={"timestamp": int(time.time()) + 3600})

    assert (answer.status_code, answer.json()["updated"]) == (200, [])


def test_the_limit_holds_for_updated_and_deleted_separately__s(
    space: Space, connect: httpx.Client, source: httpx.Client
) -> None:
    fill(connect, 8)
    ids = [contact["id"] for contact in source.get("contacts").json()["contacts"]]
    for each in ids[:5]:
        space.delete(each)

    read = list(pages(source, "contacts/delta", timestamp=0, limit=2))

    assert [len(page["updated"]) for page in read] == [2, 1, 0]
    assert [page["deleted"] for page in read] == [ids[0:2], ids[2:4], ids[4:5]]
    assert [page["has_more"] for page in read] == [True, True, False]


# Errors of the edge


@pytest.mark.parametrize(
    ("verb", "path", "status"),
    [
        ("GET", "none", 404),
        ("GET", "contacts/100", 404),
        ("GET", "token/", 404),
        ("POST", "token", 405),
        ("POST", "contacts", 405),
        ("PURGE", "contacts", 405),
        ("DELETE", "contacts/delta", 405),
    ],
)
def test_unknown_paths_and_wrong_verbs_have_the_envelope__i(
    caller: httpx.Client, verb: str, path: str, status: int
) -> None:
    refused(caller.request(verb, path), status)
