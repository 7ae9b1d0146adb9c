"""Walks: pages that stay where they are, on every store that there is."""

from datetime import datetime, timedelta

import pytest

from services.directory.domain.contact import ContactId
from services.directory.domain.lead import rewrite
from services.directory.domain.leads import Changed
from tests.fixtures.book import START, WORKSPACE, Book, person

COUNT = 11


@pytest.fixture
async def ids(book: Book) -> list[ContactId]:
    """Of contacts that came one by one."""
    for number in range(COUNT):
        await book.apply(person(number))
    return [contact.contact_id for contact in (await book.page()).contacts]


async def change(book: Book, contact_id: ContactId, company: str) -> None:
    changed = await book.leads.change(WORKSPACE, contact_id, lambda now, _: rewrite(now.details, company=company))
    assert isinstance(changed, Changed)


async def delta(book: Book, since: datetime, *, limit: int, walk: str = "w") -> tuple[list[ContactId], list[ContactId]]:
    """All pages of a walk that begins now."""
    as_of = await book.stores.walks.begin(WORKSPACE, walk)
    updated: list[ContactId] = []
    deleted: list[ContactId] = []
    more, number = True, 0
    while more:
        number += 1
        page = await book.stores.walks.changes_as_of(WORKSPACE, as_of, since=since, page=number, limit=limit)
        updated += [contact.contact_id for contact in page.updated]
        deleted += page.deleted
        more = page.more
    return updated, deleted


@pytest.mark.parametrize("limit", [1, 3, COUNT, 100])
async def test_contacts_keep_their_pages_while_others_come_change_and_go(
    book: Book, ids: list[ContactId], limit: int
) -> None:
    as_of = await book.stores.walks.begin(WORKSPACE, "w")
    read: list[ContactId] = []
    for number in range(1, COUNT // limit + 2):
        page = await book.stores.walks.contacts_as_of(WORKSPACE, as_of, page=number, limit=limit)
        read += [contact.contact_id for contact in page.contacts]
        assert page.more is (number * limit < COUNT)
        if number <= 2:
            await book.leads.delete(WORKSPACE, ids[number - 1])
            await change(book, ids[-number], "late")
            await book.apply(person(100 + number))

    gaps = set(ids[:2]) - set(read)
    assert read == [each for each in ids if each not in gaps]
    assert limit >= COUNT or not gaps


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_changes_keep_their_pages_while_they_change_again(book: Book, ids: list[ContactId], limit: int) -> None:
    as_of = await book.stores.walks.begin(WORKSPACE, "w")
    read: list[ContactId] = []
    companies: list[str] = []
    for number in range(1, COUNT + 1):
        page = await book.stores.walks.changes_as_of(WORKSPACE, as_of, since=START, page=number, limit=limit)
        read += [contact.contact_id for contact in page.updated]
        companies += [contact.details.company for contact in page.updated]
        if not page.more:
            break
        await change(book, ids[-1], f"late {number}")
        await change(book, ids[0], f"late {number}")

    assert read == ids
    assert companies[-1].startswith("late") or limit >= COUNT


async def test_changed_and_deleted_are_told_once_and_by_time(book: Book, ids: list[ContactId]) -> None:
    await change(book, ids[3], "a")
    await book.leads.delete(WORKSPACE, ids[5])
    await change(book, ids[1], "b")
    await change(book, ids[2], "c")
    await book.leads.delete(WORKSPACE, ids[2])

    for limit in (1, 4, 100):
        updated, deleted = await delta(book, START, limit=limit)

        assert updated == [*(each for each in ids if each not in {ids[n] for n in (1, 2, 3, 5)}), ids[3], ids[1]]
        assert deleted == [ids[5], ids[2]]


async def test_a_delta_begins_with_the_moment_itself(book: Book, ids: list[ContactId]) -> None:
    last = (await book.page()).contacts[-1].changed_at

    assert await delta(book, last, limit=10) == ([ids[-1]], [])
    assert await delta(book, last + timedelta(microseconds=1), limit=10) == ([], [])


async def test_what_comes_behind_a_walk_is_later_than_its_moment(book: Book, ids: list[ContactId]) -> None:
    as_of = await book.stores.walks.begin(WORKSPACE, "w")

    await change(book, ids[0], "late")
    await book.leads.delete(WORKSPACE, ids[1])

    assert await delta(book, as_of, limit=10) == ([ids[0]], [ids[1]])


async def test_a_page_that_was_not_walked_to_is_the_same(book: Book, ids: list[ContactId]) -> None:
    as_of = await book.stores.walks.begin(WORKSPACE, "w")

    contacts = await book.stores.walks.contacts_as_of(WORKSPACE, as_of, page=4, limit=3)
    changes = await book.stores.walks.changes_as_of(WORKSPACE, as_of, since=START, page=4, limit=3)
    past = await book.stores.walks.contacts_as_of(WORKSPACE, as_of, page=50, limit=3)

    assert [each.contact_id for each in contacts.contacts] == [each.contact_id for each in changes.updated] == ids[9:]
    assert (contacts.more, changes.more, past.more, len(past.contacts)) == (False, False, False, 0)


async def test_a_walk_is_resumed_by_its_name(book: Book) -> None:
    first = await book.stores.walks.begin(WORKSPACE, "a")
    second = await book.stores.walks.begin(WORKSPACE, "b")
    again = await book.stores.walks.begin(WORKSPACE, "a")

    assert first < second < again
    assert await book.stores.walks.resume(WORKSPACE, "a") == again
    assert await book.stores.walks.resume(WORKSPACE, "b") == second
    assert await book.stores.walks.resume(WORKSPACE, "c") is None
