from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from services.ingestion.domain.errors import JobNotFound
from services.ingestion.domain.ids import ClientId, JobId
from services.ingestion.domain.job import MAXIMUM_ROWS, RejectedRow
from services.ingestion.domain.outcome import RowState
from services.ingestion.domain.row_view import RowView, delivered_rows, first_rows, rejected_row
from services.ingestion.domain.status import JobRecord, JobStatus, job_status
from services.ingestion.ports.announcing import Changes
from services.ingestion.ports.store import Contents, Jobs, SoughtPhone


@dataclass(frozen=True, slots=True, kw_only=True)
class RowQuery:
    """Rows behind an index, by index; state None: in any; phone None: with any."""

    after: int = -1
    limit: int
    state: RowState | None = None
    phone: SoughtPhone | None = None


@dataclass(frozen=True, slots=True)
class RowPage:
    """A page of rows with their job."""

    rows: Sequence[RowView]
    more: bool
    record: JobRecord


class FollowJobs:
    """Shows jobs and rows. A viewer sees its own jobs only; viewer None, an operator, sees all."""

    def __init__(self, *, jobs: Jobs, contents: Contents, changes: Changes) -> None:
        self._jobs = jobs
        self._contents = contents
        self._changes = changes

    async def get(self, job_id: JobId, *, viewer: ClientId | None) -> JobRecord:
        """The job. Raises JobNotFound."""
        record = await self._jobs.find(job_id)
        if record is None or (viewer is not None and record.job.client_id != viewer):
            raise JobNotFound
        return record

    async def rows(self, job_id: JobId, query: RowQuery, *, viewer: ClientId | None) -> RowPage:
        """A page of the job's rows. Raises JobNotFound."""
        record = await self.get(job_id, viewer=viewer)
        enough = query.limit + 1
        found = await self._rejected(job_id, query, enough)
        if query.state is not RowState.REJECTED or _has_rejected(record):
            found = [*found, *await self._delivered(job_id, query, enough)]
        return RowPage(first_rows(found, query.limit), len(found) > query.limit, record)

    async def _rejected(self, job_id: JobId, query: RowQuery, enough: int) -> Sequence[RowView]:
        if query.state not in {None, RowState.REJECTED}:
            return []
        limit = MAXIMUM_ROWS if query.phone else enough
        found = await self._contents.rejected_after(job_id, row=query.after, limit=limit)
        rows = map(rejected_row, found)
        return [row for row in rows if not query.phone or _has(row, query.phone)]

    async def _delivered(self, job_id: JobId, query: RowQuery, enough: int) -> Sequence[RowView]:
        found: list[RowView] = []
        after = query.after
        while len(found) < enough:
            chunk = await self._contents.chunk_after(job_id, row=after)
            if chunk is None:
                break
            rows = delivered_rows(chunk, after=query.after, state=query.state)
            found += [row for row in rows if not query.phone or _has(row, query.phone)]
            after = chunk.rows[-1]
        return found

    async def rejected(self, job_id: JobId, *, viewer: ClientId | None) -> Sequence[RejectedRow]:
        """The job's rejected rows that may be mended and imported again, by index. Raises JobNotFound."""
        await self.get(job_id, viewer=viewer)
        found = await self._contents.rejected_after(job_id, row=-1, limit=MAXIMUM_ROWS)
        return [row for row in found if row.mendable]

    async def watch(self, job_id: JobId, *, viewer: ClientId | None) -> AsyncIterator[JobRecord]:
        """The job now and at every change, until it is completed or failed. Raises JobNotFound."""
        known: JobRecord | None = None
        async with aclosing(self.look(job_id, viewer=viewer)) as looks:
            async for record in looks:
                if record != known:
                    yield record
                known = record

    async def look(self, job_id: JobId, *, viewer: ClientId | None) -> AsyncGenerator[JobRecord, None]:
        """As watch, but the job is also given every few seconds while it stays as it is."""
        with self._changes.watch(job_id) as changed:
            while True:
                record = await self.get(job_id, viewer=viewer)
                yield record
                if job_status(record.deliveries) >= JobStatus.COMPLETED:
                    return
                await changed()


def _has(row: RowView, phone: SoughtPhone) -> bool:
    return row.original_phone == phone.given or row.normalized_phone == phone.e164 != ""


def _has_rejected(record: JobRecord) -> bool:
    """Some row in a chunk was rejected after it was accepted: it was erased."""
    return any(RowState.REJECTED in delivery.states for delivery in record.deliveries)
