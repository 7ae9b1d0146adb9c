"""Everything that a contact source does wrong, and what comes of it: `pytest -s` prints the table.

Each case begins with a source of 300 contacts in pages of 100 that was synced whole; then the source changes, goes
wrong at its next delta or whole reading, and is mended. In every case the hub ends with exactly the source's contacts.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from services.source_polling.domain.run import Run, RunStatus
from tests.fakes.contact_source import (
    Altered,
    Before,
    Behaviour,
    Book,
    ContactSourceFake,
    Cut,
    Document,
    Endless,
    Hang,
    Quirks,
    Status,
    make_contact,
    non_json,
    redirect,
    too_many,
)
from tests.integration.source_polling.polling import Polling, polling
from tests.integration.source_polling.reading import HASTY, source

CONTACTS = 300
COMPLETED, FAILED, HELD = RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.HELD
Prepare = Callable[[ContactSourceFake], None]


@pytest.fixture(scope="module")
def table() -> Iterator[list[str]]:
    rows: list[str] = []
    yield rows
    print("\n" + "\n".join(rows))  # noqa: T201 - the table is the purpose


@dataclass(frozen=True, kw_only=True)
class Case:
    """`ends`: the run that met it. `counts`: what that run counted. `says`: a part of its message."""

    prepare: Prepare
    ends: RunStatus = COMPLETED
    says: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    full: bool = False
    timeout: timedelta = HASTY.timeout
    lags: bool = False
    """Part of what changed comes with the next run."""


def at(page: int, *behaviours: Behaviour) -> Prepare:
    return lambda fake: fake.at(page, *behaviours)


def quirk(**values: bool) -> Prepare:
    def prepare(fake: ContactSourceFake) -> None:
        for name, value in values.items():
            setattr(fake.quirks, name, value)

    return prepare


def rows(alter: Callable[[Document], Document], *, page: int = 1) -> Prepare:
    """The page, with its first row altered."""

    def altered(document: Document) -> Document:
        name = "contacts" if "contacts" in document else "updated"
        first, *others = document[name]
        return {**document, name: [alter(first), *others]}

    return at(page, Altered(altered))


def during(page: int, happens: Prepare) -> Prepare:
    return lambda fake: fake.at(page, Before(lambda: happens(fake)))


def both(*prepares: Prepare) -> Prepare:
    def prepare(fake: ContactSourceFake) -> None:
        for each in prepares:
            each(fake)

    return prepare


def update(first: int, last: int, mark: str = "-new") -> Prepare:
    def prepare(fake: ContactSourceFake) -> None:
        for number in range(first, last + 1):
            fake.book.put(make_contact(number, mark=mark))

    return prepare


def delete(first: int, last: int) -> Prepare:
    def prepare(fake: ContactSourceFake) -> None:
        for number in range(first, last + 1):
            fake.book.delete(str(number))

    return prepare


def clear(fake: ContactSourceFake) -> None:
    delete(1, CONTACTS)(fake)


CASES = {
    "nothing changed": Case(prepare=lambda fake: None, counts={"seen": 0}),
    "nothing changed, read whole": Case(
        prepare=lambda fake: None, full=True, counts={"seen": 300, "unchanged": 300, "changed": 0}
    ),
    "250 updates, 20 deletes": Case(
        prepare=both(update(1, 250), delete(281, 300)), counts={"changed": 250, "deleted": 20, "pages": 3}
    ),
    "a page without updates, and another behind it": Case(
        prepare=both(update(1, 250), at(2, Altered(lambda page: {**page, "updated": []}))),
        counts={"changed": 150, "pages": 3},
        lags=True,
    ),
    "token ends between pages": Case(
        prepare=both(update(1, 250), during(1, lambda fake: fake.revoke_tokens())),
        counts={"changed": 250, "tokens": 2, "retries": 1},
    ),
    "401 twice": Case(prepare=both(update(1, 250), at(2, Status(401), Status(401))), ends=FAILED, says="twice"),
    "500 on a page, once": Case(
        prepare=both(update(1, 250), at(2, Status(500))), counts={"changed": 250, "retries": 1}
    ),
    "500 on a page, for good": Case(prepare=both(update(1, 250), at(2, *[Status(500)] * 3)), ends=FAILED, says="500"),
    "no JSON on a page, once": Case(prepare=both(update(1, 250), at(2, non_json())), counts={"changed": 250}),
    "no JSON on a page, for good": Case(
        prepare=both(update(1, 250), at(2, *[non_json()] * 3)), ends=FAILED, says="not JSON"
    ),
    "empty answer": Case(prepare=at(1, *[Status(200, b"")] * 3), ends=FAILED, says="not JSON"),
    "the line is cut in a page": Case(prepare=both(update(1, 250), at(2, Cut())), counts={"changed": 250}),
    "429 with Retry-After": Case(prepare=both(update(1, 250), at(2, too_many("3600"))), counts={"changed": 250}),
    "429 again and again": Case(prepare=both(update(1, 9), at(1, *[too_many("60")] * 5)), counts={"changed": 9}),
    "redirect": Case(prepare=at(1, redirect("http://127.0.0.1/")), ends=FAILED, says="redirect"),
    "404": Case(prepare=at(1, Status(404)), ends=FAILED, says="404"),
    "no word on has_more": Case(prepare=both(update(1, 9), quirk(silent_on_more=True)), counts={"changed": 9}),
    "has_more for ever": Case(prepare=quirk(has_more=True), ends=FAILED, says="stuck"),
    "has_more for ever, other pages": Case(
        prepare=both(quirk(has_more=True, extra_keys=True), update(1, 250)), ends=FAILED, says="stuck"
    ),
    "the same page again": Case(prepare=both(update(1, 250), quirk(same_page=True)), ends=FAILED, says="stuck"),
    "unknown labels and types": Case(
        prepare=both(
            update(1, 1, mark=""),
            rows(lambda row: {**row, "type": "partner", "phones": [{**row["phones"][0], "label": "pager"}]}),
        ),
        counts={"changed": 1},
    ),
    "missing names": Case(
        prepare=both(update(1, 9), rows(lambda row: {**row, "last_name": None})),
        counts={"changed": 8, "skipped": 1},
        lags=True,
    ),
    "wrong types in a row": Case(
        prepare=both(update(1, 9), rows(lambda row: {**row, "phones": 7})),
        counts={"changed": 8, "skipped": 1},
        lags=True,
    ),
    "numeric ids": Case(
        prepare=both(update(1, 9), delete(10, 12), quirk(numeric_ids=True)), counts={"changed": 9, "deleted": 3}
    ),
    "unknown keys": Case(prepare=quirk(extra_keys=True), full=True, counts={"unchanged": 300, "changed": 0}),
    "contacts change while they are paged": Case(
        prepare=both(update(1, 250), during(2, update(1, 250, "-newer"))), counts={"skipped": 0}, lags=True
    ),
    "deleted, then made again": Case(
        prepare=both(delete(5, 5), update(5, 5), at(1, Altered(lambda page: {**page, "deleted": ["5"]}))),
        counts={"changed": 1, "deleted": 0},
    ),
    "made again on a page before the delete": Case(
        prepare=both(update(1, 250), at(2, Altered(lambda page: {**page, "deleted": ["5"]}))),
        counts={"changed": 250, "deleted": 0},
    ),
    "deleted between two pages of a whole reading": Case(
        prepare=during(2, delete(1, 100)), full=True, counts={"seen": 200, "deleted": 0}, lags=True
    ),
    "a few deleted between two pages of a whole reading": Case(
        prepare=during(2, delete(1, 5)), full=True, counts={"deleted": 0}, lags=True
    ),
    "an answer that does not come in time": Case(
        prepare=both(update(1, 9), at(1, Hang())), counts={"changed": 9, "retries": 1}, timeout=timedelta(seconds=3)
    ),
    "a page over the limit": Case(
        prepare=at(1, Status(200, b" " * (2**20 + 1))), ends=FAILED, says="longer than 1024 KiB"
    ),
    "a page without end": Case(prepare=at(1, Endless()), ends=FAILED, says="longer than 1024 KiB"),
    "a whole reading that comes back empty": Case(prepare=clear, full=True, ends=HELD, says="came back empty"),
    "a whole reading with a third gone": Case(
        prepare=delete(1, 100), full=True, ends=HELD, says="would delete 100 contacts"
    ),
    "a delta that deletes a third": Case(prepare=delete(1, 100), ends=HELD, says="would delete 100 contacts"),
}


@pytest.mark.parametrize("name", CASES)
async def test_what_comes_of_a_source_that(name: str, tmp_path: Path, table: list[str]) -> None:
    case = CASES[name]
    book = Book(map(make_contact, range(1, CONTACTS + 1)))
    async with polling(tmp_path) as place, ContactSourceFake(book, clock=place.clock.seconds) as fake:
        shop = await place.add(source(fake.url, page_size=100, retry=replace(HASTY, timeout=case.timeout)))
        first = await place.sync(shop)
        cursor = (await place.operator.get(shop.source_id)).cursor
        place.clock.ahead += timedelta(hours=1)
        book.now = int(place.clock.seconds())
        case.prepare(fake)

        run = await place.sync(shop, full=case.full)

        table.append(_row(name, run))
        moved = (await place.operator.get(shop.source_id)).cursor
        assert (first.status, first.tally.changed) == (COMPLETED, CONTACTS)
        assert run.status is case.ends, run.message
        assert case.says in run.message
        assert {count: getattr(run.tally, count) for count in case.counts} == case.counts
        assert (moved == cursor) is (run.status is not COMPLETED)
        assert run.tally.deleted == place.landing.deletes
        if run.status is COMPLETED and not case.lags:
            assert_equal(place, fake)
        await _mend(place, fake, run)
        assert_equal(place, fake)


async def _mend(place: Polling, fake: ContactSourceFake, run: Run) -> None:
    """The source behaves, is read whole, and what was held is approved."""
    fake.quirks = Quirks()
    shop = await place.operator.get(run.source_id)
    await _approved(place, run)
    last = await _approved(place, await place.sync(shop, full=True))
    assert last.status is COMPLETED, last.message


async def _approved(place: Polling, run: Run) -> Run:
    if run.status is not HELD:
        return run
    await place.operator.approve(run.source_id)
    return await place.sync(await place.operator.get(run.source_id))


def assert_equal(place: Polling, fake: ContactSourceFake) -> None:
    """The hub has the source's contacts, each as it is there now."""
    assert place.landing.contacts.keys() == fake.book.contacts.keys()
    for contact_id, contact in place.landing.contacts.items():
        there = fake.book.contacts[contact_id]
        assert (contact.last_name, len(contact.phones)) == (there["last_name"], len(there["phones"]))


def _row(name: str, run: Run) -> str:
    counts = ("pages", "seen", "changed", "unchanged", "skipped", "deleted", "held_deletes", "tokens", "retries")
    told = ", ".join(f"{getattr(run.tally, count)} {count}" for count in counts if getattr(run.tally, count))
    return f"| {name} | {run.status.value} | {told} | {run.message} |"
