"""Leads that wait are told by how many they are and how long the oldest does."""

from datetime import UTC, datetime, timedelta

from libs.measures import Gauge
from services.directory.counting import IntakeNumbers
from services.directory.domain.telecrm.intake import Entry, EntryId

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


class Book:
    def __init__(self, *entries: Entry) -> None:
        self._entries = entries

    async def waiting(self, *, now: datetime, limit: int) -> list[Entry]:
        return [each for each in self._entries if each.due_at <= now][:limit]


def entry(*, received_at: datetime, due_at: datetime) -> Entry:
    return Entry(
        entry_id=EntryId("entry"),
        workspace_id="w",  # type: ignore[arg-type]  # any will do
        body="{}",
        received_at=received_at,
        due_at=due_at,
    )


async def shown(book: Book) -> dict[str, float]:
    measures = IntakeNumbers(book, clock=lambda: NOW).measures  # type: ignore[arg-type]  # nothing else is asked
    for survey in measures.surveys:
        await survey()
    return {each.about.name: each.values[()] for each in measures.instruments if isinstance(each, Gauge)}


async def test_what_is_due_is_told() -> None:
    minute = timedelta(minutes=1)
    book = Book(
        entry(received_at=NOW - 2 * minute, due_at=NOW - minute),
        entry(received_at=NOW - 9 * minute, due_at=NOW + minute),
        entry(received_at=NOW - minute, due_at=NOW),
    )

    assert await shown(book) == {"contactsync.intake.waiting": 2, "contactsync.intake.age": 120}


async def test_nothing_is_told_as_nothing() -> None:
    assert await shown(Book()) == {"contactsync.intake.waiting": 0, "contactsync.intake.age": 0}
