"""A walk through all pages while another client writes: no row is missed, none comes twice."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from tests.contract.contact_source.asking import fill, pages
from tests.fixtures.spaces import Space

COUNT, LIMIT = 60, 7


@contextmanager
def meanwhile(write: Callable[[int], None]) -> Iterator[None]:
    """Writes, one call after the other, until the block ends."""
    over = threading.Event()
    failed: list[AssertionError] = []

    def run() -> None:
        count = 0
        while not over.is_set():
            try:
                write(count)
            except AssertionError as error:
                failed.append(error)
                return
            count += 1

    writer = threading.Thread(target=run)
    writer.start()
    yield
    over.set()
    writer.join()
    assert not failed


@pytest.fixture
def ids(connect: httpx.Client, source: httpx.Client) -> list[str]:
    fill(connect, COUNT)
    return [contact["id"] for contact in source.get("contacts?limit=1000").json()["contacts"]]


def test_all_contacts_while_others_are_created(connect: httpx.Client, source: httpx.Client, ids: list[str]) -> None:
    def write(count: int) -> None:
        assert connect.post("contacts", json={"firstName": f"New {count}"}).status_code == 200

    with meanwhile(write):
        read = _ids(pages(source, "contacts", limit=LIMIT), "contacts")

    assert set(Counter(read).values()) == {1}
    assert read[:COUNT] == ids


@pytest.mark.parametrize("path", ["contacts", "contacts/delta"])
def test_a_walk_keeps_its_rows_while_they_change_and_go(
    space: Space, source: httpx.Client, ids: list[str], path: str
) -> None:
    """Between any two pages a contact of a page already read goes, and one of a page still to come changes."""
    field = "contacts" if path == "contacts" else "updated"
    parameters = {"limit": LIMIT} if path == "contacts" else {"limit": LIMIT, "timestamp": 0}
    read: list[str] = []
    deleted: set[str] = set()
    for count, page in enumerate(pages(source, path, **parameters)):
        read += [contact["id"] for contact in page[field]]
        if count < 4:
            deleted.add(ids[count])
            space.delete(ids[count])
            space.change(ids[-1 - count], company=f"c{count}")

    assert Counter(read) == Counter(ids)


def test_what_happens_in_a_walk_is_in_the_next_delta(
    space: Space, connect: httpx.Client, source: httpx.Client, ids: list[str]
) -> None:
    first = source.get("contacts", params={"limit": LIMIT}).json()
    server_time = int(_date(source))
    space.delete(ids[-1])
    space.change(ids[0], company="late")
    made = connect.post("contacts", json={"firstName": "Late"}).json()
    rest = list(pages(source, "contacts", limit=LIMIT))

    delta = source.get("contacts/delta", params={"timestamp": server_time, "limit": 1000}).json()

    assert first["has_more"]
    assert made["firstName"] in {contact["first_name"] for contact in delta["updated"]}
    assert ids[0] in {contact["id"] for contact in delta["updated"]}
    assert delta["deleted"] == [ids[-1]]
    assert {contact["id"] for contact in delta["updated"]}.isdisjoint(delta["deleted"])
    assert rest


def _date(source: httpx.Client) -> float:
    return parsedate_to_datetime(source.get("contacts?limit=1").headers["date"]).timestamp()


def test_a_walk_goes_on_with_a_new_token(space: Space, connect: httpx.Client) -> None:
    fill(connect, 10)
    access = space.access()
    read: list[str] = []
    for page in range(1, 6):
        with space.source(access) as source:
            answer = source.get("contacts", params={"limit": 2, "page": page}).json()
            read += [contact["first_name"] for contact in answer["contacts"]]
        if page == 1:
            (gone,) = (contact["id"] for contact in answer["contacts"][:1])
            space.delete(gone)

    assert read == [f"N{number}" for number in range(10)]


def test_two_walks_with_a_token_each_do_not_disturb_each_other(space: Space, connect: httpx.Client) -> None:
    fill(connect, 10)
    access = space.access()
    read: list[str] = []
    with space.source(access) as one, space.source(access) as other:
        for page in pages(one, "contacts", limit=2):
            read += [contact["first_name"] for contact in page["contacts"]]
            space.delete(other.get("contacts", params={"limit": 2}).json()["contacts"][0]["id"])

    assert read == [f"N{number}" for number in range(10)]


def _ids(read: Iterator[dict[str, Any]], field: str) -> list[str]:
    return [contact["id"] for page in read for contact in page[field]]
