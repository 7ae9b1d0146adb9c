"""External ids of a source are its own, on every store."""

from services.directory.domain.contact import Email, Tombstone
from services.directory.domain.delivery import RowState
from services.directory.domain.details import details_of
from services.directory.domain.identity import external_identity, scoped
from tests.fixtures.book import Book, person

CREATED, UPDATED, UNCHANGED, FAILED = map(int, RowState)


def _of(source: str, external_id: str) -> tuple[str, ...]:
    return (scoped(source, external_id),)


async def test_one_id_of_two_sources_is_two_contacts(book: Book) -> None:
    applied = await book.apply(person(1, external_ids=_of("a", "7")), person(2, external_ids=_of("b", "7")))

    assert list(applied.states) == [CREATED, CREATED]
    assert len(await book.find(external_id="7")) == 2


async def test_a_sources_id_leads_to_its_contact_whatever_else_changed(book: Book) -> None:
    await book.apply(person(1, external_ids=_of("a", "7"), emails=(Email("x@example.com"),)))

    applied = await book.apply(person(2, external_ids=_of("a", "7")))

    assert list(applied.states) == [UPDATED]
    assert (await book.only()).details.phone == person(2).phone


async def test_a_phone_leads_to_no_contact_with_another_id_of_the_same_source(book: Book) -> None:
    await book.apply(person(1, external_ids=_of("a", "7")))

    other = await book.apply(person(1, external_ids=_of("a", "8")))
    known = await book.apply(person(1, external_ids=_of("b", "1")))

    assert list(other.states) == [CREATED]
    assert list(known.states) == [UPDATED]
    first, second = await book.find()
    assert (scoped("b", "1") in first.details.external_ids, len(second.details.external_ids)) == (True, 1)


async def test_a_person_is_erased_by_the_bare_id_whatever_the_source(book: Book) -> None:
    await book.apply(person(1, external_ids=_of("a", "7")), person(2, external_ids=("7",)), person(3))

    assert await book.directory.erase([external_identity("7")]) == 2
    assert (await book.only()).details.phone == person(3).phone


async def test_a_contact_that_two_sources_have_goes_when_both_have_deleted_it(book: Book) -> None:
    await book.apply(person(1, external_ids=_of("a", "7")))
    await book.apply(person(1, external_ids=_of("b", "7")))

    first = await book.apply(Tombstone(details_of(external_ids=_of("b", "7"))))
    left = await book.only()
    again = await book.apply(Tombstone(details_of(external_ids=_of("b", "7"))))
    last = await book.apply(Tombstone(details_of(external_ids=_of("a", "7"))))

    assert (list(first.states), list(again.states), list(last.states)) == ([UPDATED], [UNCHANGED], [UPDATED])
    assert (left.details.external_ids, left.details.phone) == (_of("a", "7"), person(1).phone)
    assert await book.find() == []


async def test_a_source_that_deleted_a_shared_contact_finds_it_again_by_its_phone(book: Book) -> None:
    await book.apply(person(1, external_ids=_of("a", "7")))
    await book.apply(person(1, external_ids=_of("b", "9")))

    await book.apply(Tombstone(details_of(external_ids=_of("b", "9"))), person(1, external_ids=_of("b", "9")))
    await book.apply(Tombstone(details_of(external_ids=_of("a", "7"))))

    assert (await book.only()).details.external_ids == _of("b", "9")
    assert len(await book.find(external_id="9")) == 1
