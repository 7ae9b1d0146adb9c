"""Runs sources: takes what is due, goes on where it stands, and leaves a trace of everything in one place."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from services.source_polling.domain.errors import ImportRefusedError, LeaseLostError, PartUnavailableError
from services.source_polling.domain.run import Run, RunId, RunStatus, begin, fail, wait
from services.source_polling.domain.schedule import SOON, mended, next_run
from services.source_polling.domain.source import Source, SourceId, make_run_number
from services.source_polling.handler.delete import Deleter
from services.source_polling.handler.read import Reader
from services.source_polling.handler.send import Post
from services.source_polling.ports.store import Leases, Ledger, Plans, RunQueue, Sources
from services.source_polling.ports.surroundings import Chance, Clock, CronLines, RandomBytes

LEASE = timedelta(seconds=30)
RENEWED_EVERY = LEASE / 3
MESSAGE_MOST = 500

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What polling needs beside reading and deleting."""

    sources: Sources
    plans: Plans
    queue: RunQueue
    leases: Leases
    ledger: Ledger
    cron: CronLines
    clock: Clock
    random: RandomBytes
    chance: Chance


class Poller:
    """Opens the runs that the schedule wants, and goes on with those that are open."""

    def __init__(self, desk: Desk, *, reader: Reader, deleter: Deleter, post: Post, holder: str) -> None:
        """`holder` names this replica: the same after a restart, another for every other."""
        self._desk = desk
        self._reader = reader
        self._deleter = deleter
        self._post = post
        self._holder = holder

    async def let_go(self) -> None:
        """Let go of what this replica held when it was killed, or holds when it stops."""
        await self._desk.leases.release(self._holder)

    async def open_due(self) -> datetime | None:
        """Open a run of each source whose time has come. Give the earliest time of the others. None: there is none."""
        now, times = self._desk.clock.now(), []
        for source in await self._desk.sources.list():
            if source.next_run_at is None:
                continue
            planned = mended(source.next_run_at, source.schedule, self._desk.cron.next, now=now)
            if planned > now:
                times.append(await self._kept_plan(source, planned))
            else:
                times.append(await self._open(source, now))
        return min(times, default=None)

    async def _kept_plan(self, source: Source, planned: datetime) -> datetime:
        if planned != source.next_run_at:  # the clock was set back
            await self._desk.plans.plan(source.source_id, at=planned)
        return planned

    async def _open(self, source: Source, now: datetime) -> datetime:
        desk = self._desk
        following = next_run(source.schedule, desk.cron.next, now=now, chance=desk.chance())
        run_id = RunId(f"run_{make_run_number(desk.random(10))}")
        await desk.queue.open(begin(source, run_id, full=False, now=now), next_run_at=following)
        return following

    async def open_runs(self) -> Sequence[Run]:
        """Give the runs that are open, whoever has them."""
        return await self._desk.queue.open_runs()

    async def go_on(self, run_id: RunId) -> None:
        """Go on with the run until it ends, waits, or another has it. Never raises but when cancelled."""
        now = self._desk.clock.now()
        run = await self._desk.leases.take(run_id, holder=self._holder, now=now, until=now + LEASE)
        source = None if run is None else await self._desk.sources.find(run.source_id)
        if run is None or source is None:
            return
        log.info("run_begins", run_id=run.run_id, source_id=run.source_id, full=run.full, page=run.tally.pages)
        try:
            async with self._kept(run):
                await self._work(source, run)
        except LeaseLostError:
            log.warning("run_is_anothers", run_id=run.run_id, source_id=run.source_id)
        except Exception:  # the database does not answer: the run is taken up again when its lease is over
            log.exception("run_left", run_id=run.run_id, source_id=run.source_id)

    async def _work(self, source: Source, run: Run) -> None:
        progress = _Progress(run)
        try:
            read = await self._reader.read(source, run, progress.see)
            ended = await self._deleter.delete(source, read, progress.see)
        except PartUnavailableError as away:
            why = f"{away.part} does not answer; the run goes on by itself."
            ended = wait(progress.run, until=self._desk.clock.now() + away.retry_after, why=why)
        except LeaseLostError:
            raise
        except ImportRefusedError as refused:
            ended = await self._given_up(progress.run, f"The hub refused a page: {refused.reason}.")
        except Exception as error:  # whatever it is, the run must not look as if it went on
            log.exception("run_interrupted", run_id=run.run_id, source_id=run.source_id)
            ended = await self._given_up(
                progress.run, f"A fault of the hub ({type(error).__name__}); its log has more."
            )
        cursor = ended.begun_at if ended.status is RunStatus.COMPLETED else None
        await self._desk.ledger.end(replace(ended, message=ended.message[:MESSAGE_MOST]), cursor=cursor)
        _tell(ended)
        if ended.status is RunStatus.FAILED:
            await self._plan_sooner(source.source_id)

    async def _plan_sooner(self, source_id: SourceId) -> None:
        source, soon = await self._desk.sources.find(source_id), self._desk.clock.now() + SOON
        if source is not None and source.next_run_at is not None and source.next_run_at > soon:
            await self._desk.plans.plan(source_id, at=soon)

    async def _given_up(self, run: Run, why: str) -> Run:
        await self._post.disown_left(run)
        return fail(run, why, now=self._desk.clock.now())

    @asynccontextmanager
    async def _kept(self, run: Run) -> AsyncIterator[None]:
        """Renew the lease meanwhile; whoever loses it is stopped at the next write."""
        task = asyncio.create_task(self._renew(run), name=f"lease of {run.run_id}")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _renew(self, run: Run) -> None:
        while True:
            await asyncio.sleep(RENEWED_EVERY.total_seconds())
            try:
                if not await self._desk.leases.renew(run, until=self._desk.clock.now() + LEASE):
                    return
            except Exception:  # the next renewal may do better, and a lost lease is noticed at the next write
                log.exception("lease_not_renewed", run_id=run.run_id)


class _Progress:
    """The run as it was last stored: what a failure is written over."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def see(self, run: Run) -> None:
        self.run = run


def _tell(run: Run) -> None:
    counts = {name: getattr(run.tally, name) for name in ("pages", "seen", "changed", "unchanged", "echoes", "deleted")}
    log.info("run_ends", run_id=run.run_id, source_id=run.source_id, status=run.status.value, **counts)
