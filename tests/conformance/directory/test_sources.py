"""External ids of a source are its own, on every store."""

from services.directory.domain.contact import Email
from services.directory.domain.delivery import RowState
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
