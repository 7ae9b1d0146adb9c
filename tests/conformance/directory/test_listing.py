"""What the book shows, on every store."""

from collections import Counter

import pytest

from services.directory.domain.contact import Contact, Email
from services.directory.domain.delivery import RowState
from tests.fixtures.book import WORKSPACE, Book, gone, person

CREATED, UPDATED, UNCHANGED, FAILED = map(int, RowState)


async def test_the_total_counts_live_contacts_whatever_the_filter(book: Book) -> None:
    await book.apply(person(1), person(2), person(3))
    await book.apply(person(1), person(4), gone(phone="+79000000002"))
    await book.directory.delete(WORKSPACE, (await book.only(phone="+79000000003")).contact_id)

    page = await book.page(phone="+79000000001")

    assert (len(page.contacts), page.total) == (1, 2)


async def test_contacts_are_listed_by_creation_whatever_changed_since(book: Book) -> None:
    await book.apply(person(3), person(1))
    await book.apply(person(2))
    await book.apply(person(1, tags=("changed",)))

    listed = [contact.details.phone for contact in await book.find()]

    assert listed == ["+79000000003", "+79000000001", "+79000000002"]


async def test_a_walk_meets_every_contact_once_while_others_write(book: Book) -> None:
    await book.apply(*(person(n) for n in range(20)))
    seen: list[Contact] = []

    more = True
    while more and len(seen) < 100:
        page = await book.page(after=seen[-1].contact_id if seen else None, size=3)
        seen += page.contacts
        more = page.more
        if len(seen) < 20:
            await book.apply(person(100 + len(seen)), person(len(seen) // 2, tags=("changed",)))
            await book.directory.delete(WORKSPACE, seen[-1].contact_id)

    phones = [contact.details.phone for contact in seen]
    assert [person(n).phone for n in range(20)] == phones[:20]
    assert Counter(phones).most_common(1)[0][1] == 1


async def test_the_last_page_says_so(book: Book) -> None:
    await book.apply(*(person(n) for n in range(4)))

    first = await book.page(size=2)
    second = await book.page(size=2, after=first.contacts[-1].contact_id)

    assert (first.more, second.more) == (True, False)
    assert len(first.contacts) == len(second.contacts) == 2


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("иван", [1]),
        ("ПЕТРОВ", [1]),
        ("етр", [1]),
        ("ёлк", [2]),
        ("EXAMPLE.com", [1, 2]),
        ("100%", [3]),
        ("a_b", [3]),
        ("a\\b", [3]),
        ("%", [3]),
        ("_", [3]),
        ("strasse", [4]),
        ("É", [4]),
        ("  ", [1, 2, 3, 4]),
        ("nobody", []),
        ("'; DROP TABLE contacts; --", []),
    ],
)
async def test_a_query_is_a_substring_whatever_its_case(book: Book, query: str, found: list[int]) -> None:
    await book.apply(
        person(1, first_name="Иван", last_name="Петров", emails=(Email("ivan@example.com"),)),
        person(2, company="ООО «Ёлка»", emails=(Email("info@Example.COM"),)),
        person(3, first_name="100%", last_name="a_b", company="a\\b"),
        person(4, last_name="Straße", company="Cafe\u0301"),
    )

    listed = await book.find(query=query)

    assert [contact.details.phone for contact in listed] == [person(n).phone for n in found]


async def test_all_filters_given_must_match(book: Book) -> None:
    both = {"emails": (Email("a@example.com"),), "external_ids": ("7",)}
    await book.apply(person(1, **both, first_name="Анна"), person(2, emails=(Email("a@example.com"),)))

    assert len(await book.find(email="A@EXAMPLE.COM")) == 2
    assert len(await book.find(email="a@example.com", external_id="7")) == 1
    assert len(await book.find(email="a@example.com", external_id="7", phone="+79000000001", query="анн")) == 1
    assert await book.find(email="a@example.com", external_id="7", phone="+79000000002") == []
