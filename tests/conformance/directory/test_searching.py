"""Searches find what the rules say, on every store, whatever was written before."""

import random
from datetime import timedelta

import pytest

from services.directory.domain.contact import Contact, Email, WorkspaceId
from services.directory.domain.identity import phone_identity
from services.directory.domain.leads import AnyOf, LeadPage, LeadQuery
from services.directory.domain.letters import contains
from services.directory.domain.search import fold
from services.directory.domain.terms import term_of
from tests.fixtures.book import WORKSPACE, Book, gone, person

NAMES = ("Иван", "Ivana", "John", "100%", "a_b")


def _named(name: str) -> AnyOf:
    return AnyOf(frozenset({term_of(WORKSPACE, "name", fold(name))}))


def _tagged(*tags: str) -> AnyOf:
    return AnyOf(frozenset(term_of(WORKSPACE, "tags", fold(tag)) for tag in tags))


def _status(label: str) -> AnyOf:
    return AnyOf(frozenset({term_of(WORKSPACE, "status", label)}))


async def _search(book: Book, *groups: AnyOf, skip: int = 0, limit: int = 100, **times: object) -> LeadPage:
    query = LeadQuery(all_of=groups, skip=skip, limit=limit, **times)  # type: ignore[arg-type]  # times alone
    return await book.stores.search.search(WORKSPACE, query)


def _numbers(page: LeadPage) -> list[int]:
    return [contact.number for contact in page.contacts]


async def _filled(book: Book) -> list[Contact]:
    """A few hundred contacts, some changed, some deleted; all that are left, newest first."""
    rng = random.Random(7)
    for start in range(0, 300, 50):
        await book.apply(
            *(
                person(
                    n,
                    first_name=rng.choice(NAMES),
                    tags=(rng.choice(("a", "b")),),
                    emails=(Email(f"u{n}@example.com"),),
                )
                for n in range(start, start + 50)
            )
        )
        await book.stores.lettering.letter_some()
    changed = [person(n, first_name=rng.choice(NAMES), tags=("c",)) for n in range(0, 300, 7)]
    await book.apply(*changed, *(gone(phone=person(n).phone) for n in range(0, 300, 11)))
    return sorted(await book.find_all(), key=lambda contact: contact.number, reverse=True)


async def test_terms_and_their_combinations_find_what_the_contacts_say(book: Book) -> None:
    contacts = await _filled(book)

    def rule(name: str, tag: str) -> list[int]:
        return [each.number for each in contacts if each.details.first_name == name and tag in each.details.tags]

    assert _numbers(await _search(book, limit=1000)) == [each.number for each in contacts]
    for name in NAMES:
        assert _numbers(await _search(book, _named(name.upper()), _tagged("a"))) == rule(name, "a")
        assert (await _search(book, _named(name), _tagged("c"), limit=1)).total == len(rule(name, "c"))
    either = [each.number for each in contacts if {"a", "c"} & set(each.details.tags)]
    assert _numbers(await _search(book, _tagged("a", "C"), limit=1000)) == either


async def test_pages_are_cuts_of_one_list_with_one_total(book: Book) -> None:
    contacts = await _filled(book)
    everyone = [each.number for each in contacts]

    for skip in (0, 1, 99, 250, len(everyone), 10_000):
        page = await _search(book, _status("New"), skip=skip, limit=10)
        assert (_numbers(page), page.total) == (everyone[skip : skip + 10], len(everyone))


async def test_identities_and_times_narrow_a_search(book: Book) -> None:
    contacts = await _filled(book)
    oldest, newest = contacts[-1], contacts[0]

    by_phone = await _search(book, AnyOf(identities=frozenset({phone_identity(newest.details.phone)})))
    both = await _search(book, AnyOf(identities=frozenset({phone_identity(newest.details.phone)})), _tagged("nobody"))
    then = await _search(book, created_from=oldest.created_at, created_to=oldest.created_at, limit=1000)
    later = await _search(book, created_from=newest.created_at + timedelta(seconds=1))

    assert _numbers(by_phone) == [newest.number]
    assert both.total == 0
    assert _numbers(then) == [each.number for each in contacts if each.created_at == oldest.created_at]
    assert later.total == 0


@pytest.mark.parametrize(
    "text", ["", "иван", "ivana", "van", "ohn", "00%", "a_b", "u1", "u17@", "@example.com", "%", "zzz"]
)
async def test_a_substring_is_found_before_and_after_its_letters_are_posted(book: Book, text: str) -> None:
    contacts = await _filled(book)
    rule = [each.number for each in contacts if contains(each.details, text)]

    before = await book.containing(text)
    while await book.stores.lettering.letter_some():
        pass
    after = await book.containing(text)

    assert [each.number for each in before] == rule
    assert [each.number for each in after] == rule


@pytest.mark.parametrize("text", ["", "an", "ann"])
async def test_a_long_list_tells_each_contact_once_while_others_are_written(book: Book, text: str) -> None:
    await book.apply(*(person(n, first_name="Anna") for n in range(700)))
    await book.stores.lettering.letter_some()
    await book.apply(*(person(n, first_name="Hannes") for n in range(700, 1300)), person(1300))
    before = len(await book.containing(text))

    told: list[int] = []
    async for piece in book.stores.search.containing(WORKSPACE, text):
        told += [each.number for each in piece]
        await book.apply(person(2000 + len(told), first_name="Joanna"), person(3, company="Moved"))
        await book.stores.lettering.letter_some()

    assert told == sorted(told, reverse=True)
    assert len(told) == len(set(told)) == before == (1300 if text else 1301)


async def test_nothing_of_an_erased_contact_is_found(book: Book) -> None:
    await book.apply(person(1, first_name="Unique", emails=(Email("only@example.com"),)))
    while await book.stores.lettering.letter_some():
        pass

    await book.directory.erase([phone_identity(person(1).phone)])

    assert (await _search(book, _named("unique"))).total == 0
    assert (await _search(book)).total == 0
    assert await book.containing("unique") == []


async def test_workspaces_see_nothing_of_each_other(book: Book) -> None:
    other = WorkspaceId("0123456789abcdef01234567")
    await book.add_workspace(other)
    await book.apply(person(1, first_name="Here"))
    await book.apply(person(1, first_name="There"), workspace_id=other)

    assert (await _search(book)).total == 1
    assert [each.details.first_name for each in await book.find()] == ["Here"]
    assert [each.number for each in await book.containing("there", workspace_id=other)] == [1]
    assert await book.directory.erase([phone_identity(person(1).phone)]) == 2
