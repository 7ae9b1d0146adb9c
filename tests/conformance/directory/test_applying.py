"""What a delivery does to the book, on every store."""

import pytest

from services.directory.domain.contact import Email, Unreadable
from services.directory.domain.delivery import RowState
from services.directory.domain.errors import ContactNotFoundError
from tests.fixtures.book import WORKSPACE, Book, gone, labelled, person

CREATED, UPDATED, UNCHANGED, FAILED = map(int, RowState)


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
