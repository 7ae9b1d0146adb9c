"""What polling counts: runs as they end, and how the last one of each source stands."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from typing_extensions import override

from libs.measures import AGES, About, Counter, Gauge, Histogram, Measures
from services.source_polling.domain.record import ExternalId
from services.source_polling.domain.run import Run, RunStatus, Tally
from services.source_polling.domain.source import SourceId
from services.source_polling.ports.store import Kept, Ledger, Runs, Sources
from services.source_polling.ports.surroundings import Clock

_SOURCE = "contactsync.source.id"
_RECORDS = ("changed", "unchanged", "echoes", "skipped", "deleted")


class CountedLedger(Ledger):
    """Counts runs whose end is on disk.

    A held run that is approved ends twice, and its records count once; after a restart in between, once more.
    """

    def __init__(self, ledger: Ledger, *, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        runs = About(
            name="contactsync.source.run.duration",
            text="How long runs take, by how they ended: completed, failed or held.",
            unit="s",
            labels=(_SOURCE, "contactsync.run.status"),
        )
        records = About(
            name="contactsync.source.records",
            text="Contacts of runs that ended, by what became of them.",
            unit="{contact}",
            labels=(_SOURCE, "contactsync.record.fate"),
        )
        self._runs, self._records = Histogram(runs, bounds=AGES), Counter(records)
        self._held: dict[SourceId, Run] = {}
        self.measures = Measures(instruments=(self._runs, self._records))

    @override
    async def known(self, source_id: SourceId, external_ids: Sequence[ExternalId]) -> Mapping[ExternalId, bytes]:
        return await self._ledger.known(source_id, external_ids)

    @override
    async def keep(self, run: Run, kept: Kept) -> None:
        await self._ledger.keep(run, kept)

    @override
    async def end(self, run: Run, *, cursor: datetime | None = None) -> None:
        await self._ledger.end(run, cursor=cursor)
        if not run.is_open:
            self._count(run)

    def _count(self, run: Run) -> None:
        self._runs.record(run.duration(self._clock.now()).total_seconds(), (run.source_id, run.status.value))
        held = self._held.pop(run.source_id, None)
        counted = held.tally if held is not None and held.run_id == run.run_id else Tally()
        if run.status is RunStatus.HELD:
            self._held[run.source_id] = run
        for fate in _RECORDS:
            if records := getattr(run.tally, fate) - getattr(counted, fate):
                self._records.add((run.source_id, fate), records)


class SourceNumbers:
    """Read from the database when asked: so they are right after a restart too."""

    def __init__(self, sources: Sources, runs: Runs, *, clock: Clock) -> None:
        self._sources = sources
        self._runs = runs
        self._clock = clock
        last = About(
            name="contactsync.source.last_run",
            text="1 for the status of the source's newest run.",
            labels=(_SOURCE, "contactsync.run.status"),
        )
        held = About(
            name="contactsync.source.held_deletes",
            text="Deletes that wait for an operator's approval.",
            unit="{contact}",
            labels=(_SOURCE,),
        )
        overdue = About(
            name="contactsync.source.overdue",
            text="How long ago a source should have been run by its schedule; 0: it is not due.",
            unit="s",
            labels=(_SOURCE,),
        )
        self._last, self._held, self._overdue = Gauge(last), Gauge(held), Gauge(overdue)
        self.measures = Measures(instruments=(self._last, self._held, self._overdue), surveys=(self._look,))

    async def _look(self) -> None:
        sources, now = await self._sources.list(), self._clock.now()
        newest = [run for each in sources for run in await self._runs.newest(each.source_id, limit=1, before=None)]
        self._last.show_all({(run.source_id, run.status.value): 1 for run in newest})
        self._held.show_all({(run.source_id,): run.tally.held_deletes for run in newest})
        due = {each.source_id: each.next_run_at for each in sources if each.next_run_at is not None}
        self._overdue.show_all({(each,): max(0.0, (now - at).total_seconds()) for each, at in due.items()})
