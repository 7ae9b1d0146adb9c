"""What every store of the contact book does alike."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

import services.directory
from services.directory.domain.contact import Contact, Email, Unreadable
from services.directory.domain.delivery import RowState
from services.directory.domain.errors import ContactNotFoundError
from services.directory.store.memory import MemoryBook
from services.directory.store.sql import SqlBook
from tests.fixtures.book import WORKSPACE, Book, gone, labelled, person
from tests.fixtures.databases import Databases

MIGRATIONS = Path(services.directory.__file__).parent / "migrations"
CREATED, UPDATED, UNCHANGED, FAILED = map(int, RowState)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def book(request: pytest.FixtureRequest, databases: Databases) -> Book:
    if request.param == "memory":
        return Book(MemoryBook())
    return Book(SqlBook(await databases.open(request.param, MIGRATIONS)))


async def test_a_contact_is_created_then_unchanged_then_updated(book: Book) -> None:
    first = await book.apply(person(tags=("лид",)))
    again = await book.apply(person(tags=("лид",)))
    more = await book.apply(person(tags=("сайт",)))

    assert [list(each.states) for each in (first, again, more)] == [[CREATED], [UNCHANGED], [UPDATED]]
    contact = await book.only()
    assert contact.details == person(tags=("лид", "сайт"))
    assert contact.version == 2
    assert contact.changed_at > contact.created_at


async def test_the_same_contact_twice_in_a_delivery_is_created_then_unchanged_or_updated(book: Book) -> None:
    applied = await book.apply(person(), person(), person(company="Ромашка"), person())

    assert list(applied.states) == [CREATED, UNCHANGED, UPDATED, UNCHANGED]
    contact = await book.only()
    assert (contact.version, contact.details.company) == (2, "Ромашка")


async def test_a_delivery_sent_again_changes_nothing_and_gives_the_first_result(book: Book) -> None:
    unreadable = Unreadable("It cannot be read.")
    first = await book.apply(person(), unreadable, delivery_id="d")
    await book.apply(person(tags=("later",)))
    again = await book.apply(person(), unreadable, delivery_id="d")

    assert again == first
    assert list(again.states) == [CREATED, FAILED]
    assert again.failures[0].position == 1
    assert (await book.only()).details.tags == ("later",)


async def test_a_forgotten_delivery_is_applied_again(book: Book) -> None:
    await book.apply(person(), delivery_id="d")
    contact = await book.only()

    forgotten = await book.directory.forget_deliveries(older_than=contact.created_at - contact.created_at)
    again = await book.apply(person(), delivery_id="d")

    assert forgotten == 1
    assert list(again.states) == [UNCHANGED]


async def test_everything_that_was_given_comes_back(book: Book) -> None:
    given = person(
        phones=labelled("+79001112233", "work"),
        emails=(Email("Ivan@Example.com", "private"), Email("i@example.org")),
        external_ids=("100",),
        first_name="Иван",
        last_name="O'Neill",
        company='"Ромашка" & Co',
        tags=("лид", "сайт"),
        additional_fields='{"nested": {"a": [1.50, null]},  "emoji":"🙂"}',
    )

    await book.apply(given)

    assert (await book.only()).details == given


async def test_a_contact_is_found_by_phone_then_further_phones_then_email_then_external_id(book: Book) -> None:
    await book.apply(
        person(1, emails=(Email("one@example.com"),), external_ids=("1",)),
        person(2, emails=(Email("two@example.com"),), external_ids=("2",)),
    )

    await book.apply(
        person(1, external_ids=("2",), tags=("by phone",)),
        person(3, phones=labelled("+79000000002"), external_ids=("1",), tags=("by further phone",)),
        person(phone="", emails=(Email("ONE@example.com"),), external_ids=("2",), tags=("by e-mail",)),
        person(4, external_ids=("1",), tags=("by external id",)),
    )

    one, two = await book.find()
    assert one.details.tags == ("by phone", "by e-mail", "by external id")
    assert two.details.tags == ("by further phone",)


async def test_an_email_leads_to_no_contact_of_another_phone(book: Book) -> None:
    await book.apply(*(person(n, emails=(Email("office@example.com"),)) for n in range(3)))

    applied = await book.apply(person(phone="", emails=(Email("office@example.com"),), company="The office"))

    assert list(applied.states) == [UPDATED]
    assert [contact.details.company for contact in await book.find(email="OFFICE@example.com")] == [
        "The office",
        "",
        "",
    ]


async def test_a_main_phone_that_gives_way_still_leads_to_its_contact(book: Book) -> None:
    await book.apply(person(1, external_ids=("1",)))
    await book.apply(person(2, external_ids=("1",)))

    applied = await book.apply(person(1, tags=("old number",)))

    assert list(applied.states) == [UPDATED]
    contact = await book.only(phone="+79000000002")
    assert contact.details.phone == "+79000000001"
    assert await book.find(phone="+79000000001") == [contact]


async def test_a_deleted_contact_is_found_no_more_and_its_id_is_never_used_again(book: Book) -> None:
    await book.apply(person(emails=(Email("a@example.com"),)))
    before = await book.only()

    await book.directory.delete(WORKSPACE, before.contact_id)
    applied = await book.apply(person())

    assert list(applied.states) == [CREATED]
    after = await book.only()
    assert after.contact_id != before.contact_id
    assert (after.version, after.details.emails) == (1, ())
    with pytest.raises(ContactNotFoundError):
        await book.directory.get(WORKSPACE, before.contact_id)
    with pytest.raises(ContactNotFoundError):
        await book.directory.delete(WORKSPACE, before.contact_id)


async def test_a_tombstone_deletes_by_any_identity_and_only_once(book: Book) -> None:
    await book.apply(person(1), person(2, external_ids=("2",)), person(3, emails=(Email("three@example.com"),)))

    applied = await book.apply(
        gone(phone="+79000000001"), gone(external_ids=("2",)), gone(emails=(Email("Three@example.com"),))
    )
    again = await book.apply(gone(phone="+79000000001"), gone(external_ids=("2",)))

    assert list(applied.states) == [UPDATED] * 3
    assert list(again.states) == [UNCHANGED] * 2
    assert (await book.page()).total == 0


async def test_a_delivery_may_delete_and_bring_back(book: Book) -> None:
    await book.apply(person(1, tags=("old",)))

    applied = await book.apply(
        person(1, company="Ромашка"),
        gone(phone="+79000000001"),
        person(1, tags=("new",)),
        person(2),
        gone(phone="+79000000002"),
    )

    assert list(applied.states) == [UPDATED, UPDATED, CREATED, CREATED, UPDATED]
    contact = await book.only()
    assert contact.details == person(1, tags=("new",))
    assert list((await book.apply(person(1))).states) == [UNCHANGED]


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
