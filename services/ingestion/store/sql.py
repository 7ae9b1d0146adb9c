"""The store on SQLite or PostgreSQL."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from libs.storage import Database, Row, Transaction, from_micros, to_micros
from services.ingestion.domain.activity import MinuteActivity
from services.ingestion.domain.ids import ChunkId, JobId, index_of, job_of
from services.ingestion.domain.job import Acceptance, RejectedRow, fitting
from services.ingestion.domain.opening import first_deliveries, tickets
from services.ingestion.domain.outcome import Delivery, Outcome, RowState, TicketRef
from services.ingestion.domain.redelivery import Redelivery, Selection
from services.ingestion.domain.row_view import ChunkRows
from services.ingestion.domain.status import JobRecord
from services.ingestion.ports.store import Accepted, JobQuery, OutboxDepth, Recorded, SoughtPhone, StoredChunk
from services.ingestion.store import looking, rows, statements
from services.ingestion.store.recording import record_in, redeliver_in, resolve_in, retry_in

MIGRATIONS = Path(__file__).parents[1] / "migrations"


class SqlStore:
    """All that ingestion keeps. patience: how long after it was made known a delivery is overdue."""

    def __init__(self, database: Database, *, phones_of: Callable[[bytes], Sequence[str]], patience: timedelta) -> None:
        self._database = database
        self._phones_of = phones_of
        self._patience = patience

    async def accept(self, acceptance: Acceptance) -> Accepted:
        """Writes the job with all that belongs to it in one unit, unless it is stored already."""
        job, deliveries = acceptance.job, first_deliveries(acceptance)
        inserted = self._inserted(acceptance, deliveries)
        return await self._database.write(lambda tx: _accept(tx, acceptance, inserted, tickets(job, deliveries)))

    def _inserted(self, acceptance: Acceptance, deliveries: Sequence[Delivery]) -> "_Inserted":
        job = acceptance.job
        return (
            rows.job_row(job, open_deliveries=len(deliveries)),
            [rows.chunk_row(job.job_id, chunk) for chunk in acceptance.chunks],
            [rows.delivery_row(job.job_id, each, now=job.created_at, patience=self._patience) for each in deliveries],
            [rows.rejected_row_row(job.job_id, row) for row in acceptance.rejected],
        )

    async def find(self, job_id: JobId) -> JobRecord | None:
        """The job with its deliveries."""
        found = await self._database.fetch_one(statements.FIND_JOB, (job_id,))
        return (await self._with_deliveries([found]))[0] if found else None

    async def newest(self, query: JobQuery) -> Sequence[JobRecord]:
        """The jobs asked for."""
        statement = statements.jobs_like(
            client=query.client_id is not None, correlation=bool(query.correlation_id), before=query.before is not None
        )
        values: list[Any] = [query.limit]
        values += [query.client_id] if query.client_id is not None else []
        values += [query.correlation_id] if query.correlation_id else []
        values += [to_micros(query.before[0]), query.before[1]] if query.before else []
        return await self._with_deliveries(await self._database.fetch(statement, tuple(values)))

    async def _with_deliveries(self, found: Sequence[Row]) -> list[JobRecord]:
        deliveries: dict[str, list[Delivery]] = {row[0]: [] for row in found}
        for row in await self._database.fetch(statements.DELIVERIES_OF_JOBS, (list(deliveries),)):
            deliveries[row[0]].append(rows.delivery_of_row(row))
        return [
            JobRecord(
                rows.job_of_row(row),
                deliveries[row[0]],
                from_micros(row[10]),
                from_micros(row[11]) if row[11] is not None else None,
            )
            for row in found
        ]

    async def chunk_after(self, job_id: JobId, *, row: int) -> ChunkRows | None:
        """The first chunk of the job that has a row behind this index."""
        found = await self._database.fetch_one(statements.CHUNK_AFTER, (job_id, row))
        if found is None:
            return None
        index, row_indexes, body, details, erased = found
        deliveries = await self._database.fetch(statements.DELIVERIES_OF_CHUNK, (job_id, index))
        return ChunkRows(
            rows.numbers_of(row_indexes),
            self._phones_of(body),
            rows.details_of(details),
            [rows.delivery_of_row(each) for each in deliveries],
            rows.numbers_of(erased or b""),
        )

    async def rejected_after(self, job_id: JobId, *, row: int, limit: int) -> Sequence[RejectedRow]:
        """The first rejected rows behind this index, by index."""
        found = await self._database.fetch(statements.REJECTED_AFTER, (job_id, row, limit))
        return [rows.rejected_row_of(each) for each in found]

    async def chunks(self, chunk_ids: Sequence[ChunkId], *, enough: int) -> Sequence[StoredChunk | None]:
        """The first of the chunks, to deliver them."""
        places = [(job_of(each), index_of(each)) for each in chunk_ids]
        read = await self._database.fetch(statements.FETCH_CHUNKS_UP_TO, (places, enough))
        if not read:
            places = await self._first_of(places, enough=enough)
            read = await self._database.fetch(statements.FETCH_CHUNKS, (places,))
        found = {(row[0], row[1]): row for row in read}
        return [rows.stored_chunk_of(found[each]) if each in found else None for each in places]

    async def _first_of(self, places: list[tuple[JobId, int]], *, enough: int) -> list[tuple[JobId, int]]:
        read = await self._database.fetch(statements.SIZES_OF_CHUNKS, (places,))
        sizes = {(row[0], row[1]): row[2] for row in read}
        return places[: fitting([sizes.get(each, 0) for each in places], enough=enough)]

    async def holding(self, phone: SoughtPhone, job_ids: Sequence[JobId]) -> frozenset[JobId]:
        """Those of the jobs that have a row with the phone."""
        return await looking.holding(self._database, phone, job_ids)

    async def activity(self, since: datetime, until: datetime) -> Sequence[MinuteActivity]:
        """The minutes that have anything to tell, in their order."""
        return await looking.activity(self._database, since, until)

    async def record(self, outcomes: Sequence[Outcome], *, now: datetime) -> Recorded:
        """Merges the outcomes in one unit and lets go what waited for them; an unknown chunk is passed over."""
        return await self._database.write(lambda tx: record_in(tx, outcomes, now=now, patience=self._patience))

    async def retry(self, job_id: JobId, *, now: datetime) -> Recorded:
        """Starts the next round of every finished delivery of the job that has failed rows."""
        return await self._database.write(lambda tx: retry_in(tx, job_id, now=now, patience=self._patience))

    async def redeliver(
        self, selections: Sequence[Selection], *, now: datetime
    ) -> tuple[Sequence[Redelivery], Recorded]:
        """Starts the next rounds in one unit."""
        return await self._database.write(lambda tx: redeliver_in(tx, selections, now=now, patience=self._patience))

    async def resolve(
        self, selections: Sequence[Selection], *, state: RowState, reason: str, now: datetime
    ) -> tuple[Sequence[bytes], Recorded]:
        """Gives unknown rows the state in one unit."""
        return await self._database.write(
            lambda tx: resolve_in(tx, selections, state=state, reason=reason, now=now, patience=self._patience)
        )

    async def unpublished(self, *, limit: int) -> Sequence[TicketRef]:
        """Deliveries that were never made known, oldest first."""
        return [rows.ticket_of_row(row) for row in await self._database.fetch(statements.UNPUBLISHED, (limit,))]

    async def overdue(self, *, now: datetime, limit: int) -> Sequence[TicketRef]:
        """Deliveries that are not done although their time is up, the longest overdue first."""
        found = await self._database.fetch(statements.OVERDUE, (to_micros(now), limit))
        return [rows.ticket_of_row(row) for row in found]

    async def depth(self) -> OutboxDepth:
        """Counts what may go out and is not done."""
        row = await self._database.fetch_one(statements.DEPTH)
        unfinished, unpublished, due_at = row or (0, 0, None)
        # What was never made known is overdue its patience after it came.
        return OutboxDepth(unfinished, unpublished, None if due_at is None else from_micros(due_at) - self._patience)

    def published(self, tickets: Sequence[TicketRef], *, at: datetime, due_at: datetime) -> None:
        """Marks the tickets as made known, overdue from due_at on."""
        marks = [
            (
                job_of(each.chunk_id),
                index_of(each.chunk_id),
                each.destination_id,
                each.round,
                *map(to_micros, (at, due_at)),
            )
            for each in tickets
        ]

        async def mark(tx: Transaction) -> None:
            await tx.execute_many(statements.PUBLISHED, marks)

        self._database.write_later(mark)


_Inserted = tuple[Row, Sequence[Row], Sequence[Row], Sequence[Row]]


async def _accept(
    tx: Transaction, acceptance: Acceptance, inserted: _Inserted, tickets: Sequence[TicketRef]
) -> Accepted:
    job, chunks, deliveries, rejected = inserted
    if not await tx.execute(statements.PUT_JOB, job):
        stored = await tx.fetch_one(statements.FIND_JOB, (acceptance.job.job_id,))
        assert stored is not None  # the insert found it
        return Accepted(rows.job_of_row(stored), [])
    await tx.execute_many(statements.PUT_CHUNK, chunks)
    await tx.execute_many(statements.PUT_DELIVERY, deliveries)
    if rejected:
        await tx.execute_many(statements.PUT_REJECTED, rejected)
    return Accepted(acceptance.job, tickets)
