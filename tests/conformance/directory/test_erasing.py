"""What is left of an erased person, on every store."""

from services.directory.domain.contact import Email
from services.directory.domain.identity import email_identity, external_identity, phone_identity
from tests.fixtures.book import Book, labelled, person

SHARED = (Email("Office@Example.com"),)


async def test_every_contact_that_has_the_identity_goes_and_no_other(book: Book) -> None:
    await book.apply(person(1, emails=SHARED), person(2, emails=SHARED), person(3))

    erased = await book.directory.erase([email_identity("office@example.COM")])

    page = await book.page()
    assert (erased, page.total) == (2, 1)
    assert [contact.details.phone for contact in page.contacts] == ["+79000000003"]


async def test_any_of_the_identities_will_do_and_a_repeat_counts_nothing(book: Book) -> None:
    await book.apply(
        person(1), person(2, phones=labelled("+79009999999")), person(3, external_ids=("crm-3",)), person(4)
    )
    whom = [phone_identity("+79000000001"), phone_identity("+79009999999"), external_identity("crm-3")]

    assert await book.directory.erase(whom) == 3
    assert await book.directory.erase(whom) == 0
    assert (await book.page()).total == 1


async def test_the_same_person_coming_again_is_a_new_contact(book: Book) -> None:
    await book.apply(person(1, first_name="Old"), delivery_id="first")
    before = await book.only()
    await book.directory.erase([phone_identity("+79000000001")])

    await book.apply(person(1, first_name="Old"), delivery_id="first")
    repeated = await book.find()
    await book.apply(person(1), delivery_id="second")

    assert repeated == []
    after = await book.only(phone="+79000000001")
    assert after.contact_id != before.contact_id
    assert after.details.first_name == ""
