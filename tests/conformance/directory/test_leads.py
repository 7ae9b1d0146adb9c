"""Single contacts, on every store."""

import asyncio
from collections import Counter

from services.directory.domain.contact import Contact, Details, Email
from services.directory.domain.identity import email_identity, phone_identity
from services.directory.domain.lead import rewrite
from services.directory.domain.leads import Changed, Created, Exists, NoContact
from services.directory.domain.workspace import Workspace
from tests.fixtures.book import WORKSPACE, Book, person


async def _made(book: Book, number: int, **fields: object) -> Contact:
    created = await book.leads.create(WORKSPACE, person(number, **fields))
    assert isinstance(created, Created)
    return created.contact


async def test_of_many_creates_of_one_identifier_exactly_one_wins(book: Book) -> None:
    unique = phone_identity(person(1).phone)

    results = await asyncio.gather(
        *(book.leads.create(WORKSPACE, person(1, first_name=f"n{n}"), unique=unique) for n in range(200))
    )

    assert Counter(type(result) for result in results) == {Created: 1, Exists: 199}
    found = {result.contact.contact_id for result in results if isinstance(result, Created | Exists)}
    assert found == {(await book.only()).contact_id}


async def test_numbers_and_times_rise_with_every_contact_whatever_brought_it(book: Book) -> None:
    await book.apply(person(1), person(2))
    await _made(book, 3)
    await book.apply(person(4), person(1, tags=("changed",)))

    contacts = await book.find()

    assert [contact.number for contact in contacts] == [1, 2, 3, 4]
    assert sorted(contacts, key=lambda contact: contact.created_at) == contacts
    assert await book.stores.leads.by_number(WORKSPACE, 3) == contacts[2]
    assert await book.stores.leads.by_number(WORKSPACE, 5) is None


async def test_a_change_keeps_what_it_does_not_name_and_moves_identities(book: Book) -> None:
    contact = await _made(book, 1, emails=(Email("old@example.com"),), additional_fields='{"a": 1.50, "b": "x"}')

    def decide(known: Contact, workspace: Workspace) -> Details:
        return rewrite(known.details, email="new@example.com", fields={"b": "y"})

    changed = await book.leads.change(WORKSPACE, contact.contact_id, decide)

    assert isinstance(changed, Changed)
    assert changed.contact.version == 2
    assert changed.contact.details.additional_fields == '{"a":1.50,"b":"y"}'
    assert await book.stores.leads.by_identity(WORKSPACE, email_identity("old@example.com")) is None
    assert await book.stores.leads.by_identity(WORKSPACE, email_identity("NEW@example.com")) == changed.contact
    assert await book.find(email="old@example.com") == []


async def test_a_change_that_changes_nothing_keeps_the_version_and_a_refusal_writes_nothing(book: Book) -> None:
    contact = await _made(book, 1)

    same = await book.leads.change(WORKSPACE, contact.contact_id, lambda known, _: known.details)
    refused = await book.leads.change(WORKSPACE, contact.contact_id, lambda known, _: "refused")

    assert same == Changed(contact)
    assert refused == "refused"
    assert await book.only() == contact


async def test_changes_of_one_contact_at_once_lose_nothing(book: Book) -> None:
    contact = await _made(book, 1)

    def tagging(tag: str) -> object:
        def decide(known: Contact, workspace: Workspace) -> Details:
            return rewrite(known.details, tags=(*known.details.tags, tag))

        return book.leads.change(WORKSPACE, contact.contact_id, decide)

    results = await asyncio.gather(*(tagging(f"t{n}") for n in range(8)))  # type: ignore[call-overload]  # coroutines

    assert all(isinstance(result, Changed) for result in results)
    found = await book.only()
    assert (found.version, len(found.details.tags)) == (9, 8)


async def test_a_deleted_contact_is_not_changed_and_frees_its_identifier(book: Book) -> None:
    contact = await _made(book, 1)
    await book.leads.delete(WORKSPACE, contact.contact_id)

    changed = await book.leads.change(WORKSPACE, contact.contact_id, lambda known, _: known.details)
    again = await book.leads.create(WORKSPACE, person(1), unique=phone_identity(person(1).phone))

    assert changed is NoContact.NO_CONTACT
    assert isinstance(again, Created)
    assert again.contact.number == 2
