"""Runs in a database: their history, which of them are open, and who has them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from typing_extensions import override

from libs.storage import Database, Row, Transaction
from services.source_polling.domain.record import ExternalId, Skip
from services.source_polling.domain.run import Run, RunId, supersede
from services.source_polling.domain.source import SourceId
from services.source_polling.ports.store import KEPT_RUNS, Leases, RunQueue, Runs
from services.source_polling.store import statements
from services.source_polling.store.rows import micros, run_of_row, run_row
from services.source_polling.store.steps import step_row

_HIGHEST = 2**31 - 1


class SqlRuns(Runs, RunQueue, Leases):
    """Who takes a run raises its fence."""

    def __init__(self, database: Database, *, kept_runs: int = KEPT_RUNS) -> None:
        self._database = database
        self._kept_runs = kept_runs

    @override
    async def find_run(self, source_id: SourceId, run_id: RunId) -> Run | None:
        row = await self._database.fetch_one(statements.FIND_RUN, (run_id, source_id))
        return None if row is None else run_of_row(row)

    @override
    async def newest(self, source_id: SourceId, *, limit: int, before: int | None) -> Sequence[Run]:
        values = (source_id, _HIGHEST if before is None else before, limit)
        return [run_of_row(row) for row in await self._database.fetch(statements.NEWEST, values)]

    @override
    async def skips(self, run_id: RunId) -> Sequence[Skip]:
        rows = await self._database.fetch(statements.SKIPS, (run_id,))
        return [Skip(ExternalId(external_id), reason) for external_id, reason in rows]

    @override
    async def open(self, run: Run, *, next_run_at: datetime | None = None) -> Run | None:
        async def unit(transaction: Transaction) -> Run | None:
            if await transaction.fetch_one(statements.LOCK_SOURCE, (run.source_id,)) is None:
                return None
            if next_run_at is not None:
                await transaction.execute(statements.PLAN, (run.source_id, micros(next_run_at)))
            return await _opened(transaction, run, kept_runs=self._kept_runs)

        return await self._database.write(unit)

    @override
    async def reopen(self, run: Run) -> bool:
        async def unit(transaction: Transaction) -> bool:
            if await transaction.fetch_one(statements.LOCK_SOURCE, (run.source_id,)) is None:
                return False
            return await transaction.execute(statements.WRITE_HELD, (run.run_id, *step_row(run))) > 0

        return await self._database.write(unit)

    @override
    async def open_runs(self) -> Sequence[Run]:
        return [run_of_row(row) for row in await self._database.fetch(statements.OPEN_RUNS)]

    @override
    async def take(self, run_id: RunId, *, holder: str, now: datetime, until: datetime) -> Run | None:
        async def unit(transaction: Transaction) -> Run | None:
            row = await transaction.fetch_one(statements.LOCK_RUN, (run_id,))
            run = None if row is None else run_of_row(row)
            if run is None or not run.is_free(now):
                return None
            taken = await _taken(transaction, run, holder=holder, now=now, until=until)
            await transaction.execute(statements.TAKE, _lease_row(taken))
            return taken

        return await self._database.write(unit)

    @override
    async def renew(self, run: Run, *, until: datetime) -> bool:
        async def unit(transaction: Transaction) -> bool:
            return await transaction.execute(statements.RENEW, (run.run_id, run.fence, micros(until))) > 0

        return await self._database.write(unit)

    @override
    async def release(self, holder: str) -> None:
        async def unit(transaction: Transaction) -> None:
            await transaction.execute(statements.RELEASE, (holder,))

        await self._database.write(unit)


async def _opened(transaction: Transaction, run: Run, *, kept_runs: int) -> Run:
    """The source is locked: nobody else opens one of its runs."""
    there = await transaction.fetch_one(statements.OPEN_RUN_OF, (run.source_id,))
    if there is not None:
        return run_of_row(there)
    for held in await transaction.fetch(statements.HELD_RUNS_OF, (run.source_id,)):
        left = supersede(run_of_row(held), now=run.started_at)
        await transaction.execute(statements.WRITE_HELD, (left.run_id, *step_row(left)))
    last = await transaction.fetch_one(statements.LAST_NUMBER, (run.source_id,))
    numbered = replace(run, number=(last[0] if last else 0) + 1)
    await transaction.execute(statements.PUT_RUN, run_row(numbered))
    for statement in statements.FORGET_OLDER:
        await transaction.execute(statement, (run.source_id, numbered.number - kept_runs))
    return numbered


async def _taken(transaction: Transaction, run: Run, *, holder: str, now: datetime, until: datetime) -> Run:
    known = run.known
    if run.begun_at is None:
        counted = await transaction.fetch_one(statements.COUNT_KNOWN, (run.source_id,))
        known = counted[0] if counted else 0
    return run.taken(holder=holder, now=now, until=until, known=known)


def _lease_row(run: Run) -> Row:
    begun_at, leased_until = micros(run.begun_at), micros(run.leased_until)
    return (run.run_id, run.status.value, run.message, begun_at, run.known, run.holder, leased_until, run.fence)
