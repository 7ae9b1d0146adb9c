"""How far runs are, in a database: everything that a step leaves behind is one transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from typing_extensions import override

from libs.storage import Database, Row, Transaction, to_micros
from services.source_polling.domain.errors import LeaseLostError
from services.source_polling.domain.record import ExternalId
from services.source_polling.domain.run import Run, RunId
from services.source_polling.domain.source import SourceId
from services.source_polling.ports.store import Condemned, Kept, Ledger, Parcel, Parcels
from services.source_polling.store import statements
from services.source_polling.store.rows import TALLY, micros


def step_row(run: Run) -> Row:
    """What a step writes of a run, as statements.STEP."""
    return (
        run.status.value,
        run.phase.value,
        run.page_cursor,
        run.fingerprint,
        micros(run.begun_at),
        run.parcels,
        *(getattr(run.tally, name) for name in TALLY),
        micros(run.due_at),
        micros(run.ended_at),
        run.message,
    )


class SqlLedger(Ledger, Condemned, Parcels):
    """Guarded by the run's fence."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def known(self, source_id: SourceId, external_ids: Sequence[ExternalId]) -> Mapping[ExternalId, bytes]:
        rows = await self._database.fetch(statements.KNOWN, (source_id, list(external_ids)))
        return {ExternalId(external_id): bytes(fingerprint) for external_id, fingerprint in rows}

    @override
    async def keep(self, run: Run, kept: Kept) -> None:
        async def unit(transaction: Transaction) -> None:
            await _write_step(transaction, run)
            await transaction.execute(statements.DROP_PARCELS, (run.run_id,))
            await _mark_contacts(transaction, run, kept)
            if kept.skips:
                await transaction.execute_many(statements.PUT_SKIP, _skip_rows(run, kept))
            if kept.parcel is not None:
                parcel = kept.parcel
                await transaction.execute(statements.PUT_PARCEL, (parcel.run_id, parcel.number, parcel.body))

        await self._database.write(unit)

    @override
    async def end(self, run: Run, *, cursor: datetime | None = None) -> None:
        async def unit(transaction: Transaction) -> None:
            await _write_step(transaction, run)
            await transaction.execute(statements.GIVE_BACK, (run.run_id,))
            if not run.is_open:
                await transaction.execute(statements.DROP_PARCELS, (run.run_id,))
            if cursor is not None:
                await transaction.execute(statements.SET_CURSOR, (run.source_id, to_micros(cursor)))

        await self._database.write(unit)

    @override
    async def condemn_unseen(self, run: Run) -> None:
        async def unit(transaction: Transaction) -> None:
            await _write_step(transaction, run)
            await transaction.execute(statements.CONDEMN_UNSEEN, (run.source_id, run.number))

        await self._database.write(unit)

    @override
    async def count_condemned(self, run: Run) -> int:
        row = await self._database.fetch_one(statements.COUNT_CONDEMNED, (run.source_id, run.number))
        return row[0] if row else 0

    @override
    async def condemned(self, run: Run, *, limit: int) -> Sequence[ExternalId]:
        rows = await self._database.fetch(statements.CONDEMNED, (run.source_id, run.number, limit))
        return [ExternalId(external_id) for (external_id,) in rows]

    @override
    async def parcels(self, run_id: RunId) -> Sequence[Parcel]:
        rows = await self._database.fetch(statements.PARCELS, (run_id,))
        return [Parcel(run_id, number, bytes(body)) for number, body in rows]

    @override
    async def disown(self, run: Run, external_ids: Sequence[ExternalId]) -> None:
        async def unit(transaction: Transaction) -> None:
            await _write_step(transaction, run)
            await transaction.execute(statements.DISOWN, (run.source_id, list(dict.fromkeys(external_ids)), b"", 0))

        await self._database.write(unit)


async def _write_step(transaction: Transaction, run: Run) -> None:
    if not await transaction.execute(statements.WRITE_STEP, (run.run_id, run.fence, *step_row(run))):
        raise LeaseLostError


async def _mark_contacts(transaction: Transaction, run: Run, kept: Kept) -> None:
    source_id, number = run.source_id, run.number
    if kept.condemned:
        await transaction.execute(statements.CONDEMN, (source_id, list(kept.condemned), number))
    if kept.seen:
        await transaction.execute(statements.SEE, (source_id, list(kept.seen), number))
    if kept.accepted:
        fingerprints = list(kept.accepted.values())
        row = (source_id, list(kept.accepted), b"".join(fingerprints), len(fingerprints[0]), number)
        await transaction.execute(statements.ACCEPT, row)
    if kept.deleted:
        await transaction.execute(statements.DELETE_KNOWN, (source_id, list(kept.deleted)))


def _skip_rows(run: Run, kept: Kept) -> list[Row]:
    first = run.tally.skipped - len(kept.skips)
    return [(run.run_id, first + at, skip.external_id, skip.reason) for at, skip in enumerate(kept.skips)]
