"""What stays true when many write at once, on every store."""

import asyncio
from collections import Counter

from services.directory.domain.contact import Email
from services.directory.domain.delivery import RowState
from tests.fixtures.book import WORKSPACE, Book, gone, person

CREATED, UPDATED, UNCHANGED, FAILED = map(int, RowState)


async def test_a_hundred_deliveries_at_once_leave_one_contact_per_phone(book: Book) -> None:
    deliveries = [[person((n * 7 + k) % 40, tags=(f"d{n}",)) for k in range(10)] for n in range(100)]

    applied = await asyncio.gather(*(book.apply(*contacts) for contacts in deliveries))

    states = Counter(state for each in applied for state in each.states)
    page = await book.page(size=1000)
    assert states == {CREATED: 40, UPDATED: 960}
    assert Counter(contact.details.phone for contact in page.contacts) == {person(n).phone: 1 for n in range(40)}
    assert page.total == 40
    assert all(contact.version == len(contact.details.tags) for contact in page.contacts)
    assert sum(contact.version for contact in page.contacts) == 1000


async def test_one_delivery_sent_many_times_at_once_is_applied_once(book: Book) -> None:
    applied = await asyncio.gather(*(book.apply(person(1), person(2), delivery_id="same") for _ in range(20)))

    assert {each.states for each in applied} == {bytes([CREATED, CREATED])}
    assert (await book.page()).total == 2


async def test_writers_that_meet_over_different_identities_lose_nothing(book: Book) -> None:
    await book.apply(person(0, emails=(Email("a@example.com"),), external_ids=("1",)))
    by_phone = [book.apply(person(0, tags=(f"p{n}",))) for n in range(15)]
    by_email = [book.apply(person(phone="", emails=(Email("a@example.com"),), tags=(f"e{n}",))) for n in range(15)]
    by_id = [book.apply(person(phone="", external_ids=("1",), tags=(f"x{n}",))) for n in range(15)]

    await asyncio.gather(*by_phone, *by_email, *by_id)

    contact = await book.only()
    assert contact.version == 1 + 45
    assert len(contact.details.tags) == 45


async def test_deletions_and_deliveries_at_once_keep_the_count_and_one_contact_per_phone(book: Book) -> None:
    await book.apply(*(person(n, emails=(Email(f"{n}@example.com"),)) for n in range(10)))
    contacts = await book.find()

    await asyncio.gather(
        *(book.directory.delete(WORKSPACE, contact.contact_id) for contact in contacts),
        *(book.apply(person(n, tags=("back",))) for n in range(10)),
        *(book.apply(person(phone="", emails=(Email(f"{n}@example.com"),), tags=("back",))) for n in range(10)),
        *(book.apply(gone(phone=f"+7900000000{n}")) for n in range(0, 10, 2)),
        return_exceptions=True,
    )

    page = await book.page(size=1000)
    phones = Counter(contact.details.phone for contact in page.contacts if contact.details.phone)
    assert page.total == len(page.contacts)
    assert all(count == 1 for count in phones.values())
    for number in range(10):
        found = await book.find(phone=person(number).phone)
        assert len(found) <= 1
