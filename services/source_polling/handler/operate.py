"""What an operator does with sources."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.source_polling.domain.errors import (
    InvalidSourceError,
    NothingHeldError,
    RunNotFoundError,
    SourceNotFoundError,
)
from services.source_polling.domain.record import Skip
from services.source_polling.domain.run import Run, RunId, RunStatus, approve, begin
from services.source_polling.domain.schedule import next_run
from services.source_polling.domain.source import Source, SourceId, make_run_number, make_source_id
from services.source_polling.handler.checking import flaws
from services.source_polling.ports.fetching import FIRST, Deferred, Failed, Fetcher, Page
from services.source_polling.ports.store import RunQueue, Runs, SourceEdits, Sources
from services.source_polling.ports.surroundings import Alarm, Chance, Clock, CronLines, RandomBytes, UrlGuard

MOST_TOLD = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """What operating needs."""

    sources: Sources
    edits: SourceEdits
    runs: Runs
    queue: RunQueue
    fetcher: Fetcher
    guard: UrlGuard
    cron: CronLines
    alarm: Alarm
    clock: Clock
    random: RandomBytes
    chance: Chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """What a test found. `message` is empty when nothing is wrong."""

    message: str
    seen: int = 0
    skipped: tuple[Skip, ...] = ()


class Operator:
    """Sources and their runs."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def create(self, asked: Source) -> Source:
        """Store a new source under an id of its own; it first runs one interval later. Raises InvalidSourceError."""
        await self._refuse_flawed(asked)
        source_id = make_source_id(self._office.random(10))
        source = self._planned(replace(asked, source_id=source_id, created_at=self._office.clock.now()))
        if not await self._office.sources.put(source):
            raise RuntimeError(source_id)  # 80 random bits
        self._office.alarm.ring()
        return source

    async def list(self) -> Sequence[Source]:
        """Give all, by name, then id."""
        return await self._office.sources.list()

    async def get(self, source_id: SourceId) -> Source:
        """Give one. Raises SourceNotFoundError."""
        source = await self._office.sources.find(source_id)
        if source is None:
            raise SourceNotFoundError
        return source

    async def change(self, changed: Source) -> Source:
        """Store the source's settings and secrets. Raises InvalidSourceError and SourceNotFoundError."""
        await self._refuse_flawed(changed)
        return await self._stored(self._planned(changed))

    async def switch(self, source_id: SourceId, *, enabled: bool) -> Source:
        """Run it by schedule, or no more. Raises SourceNotFoundError."""
        source = await self.get(source_id)
        if source.enabled == enabled:
            return source
        return await self._stored(self._planned(replace(source, enabled=enabled)))

    async def delete(self, source_id: SourceId) -> None:
        """Forget it; a run that goes on stops at its next step. Raises SourceNotFoundError."""
        if not await self._office.edits.delete(source_id):
            raise SourceNotFoundError

    async def forget_cursor(self, source_id: SourceId) -> Source:
        """Let the next run be a full one. Raises SourceNotFoundError."""
        if not await self._office.edits.forget_cursor(source_id):
            raise SourceNotFoundError
        return await self.get(source_id)

    async def test(self, source_id: SourceId) -> Tested:
        """Read one page and import nothing. Raises SourceNotFoundError."""
        session = await self._office.fetcher.open(await self.get(source_id), since=None)
        try:
            found = await session.page(FIRST)
        finally:
            await session.close()
        match found:
            case Page():
                return Tested(
                    message="", seen=len(found.records) + len(found.skipped), skipped=found.skipped[:MOST_TOLD]
                )
            case Deferred() | Failed():
                return Tested(message=found.reason)

    async def sync(self, source_id: SourceId, *, full: bool) -> Run:
        """Start a run, or give the open one. Raises SourceNotFoundError."""
        source, now = await self.get(source_id), self._office.clock.now()
        run_id = RunId(f"run_{make_run_number(self._office.random(10))}")
        run = await self._office.queue.open(begin(source, run_id, full=full, now=now))
        if run is None:
            raise SourceNotFoundError
        self._office.alarm.ring()
        return run

    async def runs(self, source_id: SourceId, *, limit: int, before: int | None) -> Sequence[Run]:
        """Give the runs, newest first. Raises SourceNotFoundError."""
        await self.get(source_id)
        return await self._office.runs.newest(source_id, limit=limit, before=before)

    async def run(self, source_id: SourceId, run_id: RunId) -> tuple[Run, Sequence[Skip]]:
        """Give one run with the rows that it left out. Raises RunNotFoundError."""
        run = await self._office.runs.find_run(source_id, run_id)
        if run is None:
            raise RunNotFoundError
        return run, await self._office.runs.skips(run_id)

    async def approve(self, source_id: SourceId) -> Run:
        """Let the held deletes of the last run go on. Raises SourceNotFoundError and NothingHeldError."""
        latest = await self.runs(source_id, limit=1, before=None)
        if not latest or latest[0].status is not RunStatus.HELD:
            raise NothingHeldError
        approved = approve(latest[0], now=self._office.clock.now())
        if not await self._office.queue.reopen(approved):
            raise NothingHeldError
        self._office.alarm.ring()
        return approved

    def _planned(self, source: Source) -> Source:
        if not source.enabled:
            return replace(source, next_run_at=None)
        office = self._office
        at = next_run(source.schedule, office.cron.next, now=office.clock.now(), chance=office.chance())
        return replace(source, next_run_at=at)

    async def _stored(self, source: Source) -> Source:
        if not await self._office.edits.change(source):
            raise SourceNotFoundError
        self._office.alarm.ring()
        return source

    async def _refuse_flawed(self, source: Source) -> None:
        found = flaws(source, cron=self._office.cron, objection=await self._office.guard.objection(source.url))
        if found:
            raise InvalidSourceError(found)
