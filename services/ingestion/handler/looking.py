from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.ingestion.domain.ids import JobId
from services.ingestion.domain.outcome import TAKEN, RowState
from services.ingestion.domain.rows import Texts
from services.ingestion.domain.status import JobRecord, JobStatus, job_status
from services.ingestion.ports.peers import Normalizer
from services.ingestion.ports.store import Contents, JobQuery, Jobs, SoughtPhone

MOST_JOBS = 1_000
"""Looked through by one call; their rows, unless it is the first job, up to MOST_ROWS."""
MOST_ROWS = 200_000
_AT_ONCE_JOBS, _AT_ONCE_ROWS = 200, 10_000
_HARMLESS = bytes([*TAKEN, RowState.PENDING])


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs are looked for. Empty: all. with_losses: some row ended otherwise than taken."""

    statuses: frozenset[JobStatus] = frozenset()
    with_losses: bool = False
    phone: str = ""
    """As it was given; a national number is one of `region`."""
    region: str = ""

    @property
    def is_empty(self) -> bool:
        """Every job is looked for."""
        return not (self.statuses or self.with_losses or self.phone)


@dataclass(frozen=True, slots=True)
class JobPage:
    """Jobs that were found. more: there are others behind the last one that was looked at."""

    records: Sequence[JobRecord]
    looked_at: JobRecord | None
    more: bool


class LookForJobs:
    """Looks through jobs, newest first, as far as one call may."""

    def __init__(self, *, jobs: Jobs, contents: Contents, normalizer: Normalizer) -> None:
        self._jobs = jobs
        self._contents = contents
        self._normalizer = normalizer

    async def look(self, query: JobQuery, wanted: JobFilter) -> JobPage:
        """The next jobs that are wanted, `query.limit` at most. Raises Unavailable when a phone cannot be read now."""
        phone = await self.read_phone(wanted.phone, region=wanted.region)
        found: list[JobRecord] = []
        last: JobRecord | None = None
        jobs, rows = 0, 0
        while True:
            asked = query.limit + 1 if wanted.is_empty else _AT_ONCE_JOBS
            records = await self._jobs.newest(replace(query, limit=asked, before=_place(last) or query.before))
            for batch in _batches(records):
                matching = await self._matching(batch, wanted, phone)
                for record in batch:
                    if len(found) == query.limit or (jobs and (jobs >= MOST_JOBS or rows >= MOST_ROWS)):
                        return JobPage(found, last, more=True)
                    last, jobs = record, jobs + 1
                    rows += record.job.total if phone else 0
                    found += [record] if record.job.job_id in matching else []
            if len(records) < asked:
                return JobPage(found, last, more=False)

    async def read_phone(self, phone: str, *, region: str) -> SoughtPhone | None:
        """The phone to look for; a national number is one of the region, of RU when there is none. None: none is given.

        Raises Unavailable when it cannot be read now.
        """
        if not phone:
            return None
        normalized = await self._normalizer.normalize(Texts([phone]), default_region=region or "RU")
        return SoughtPhone(normalized.e164[0], phone)

    async def _matching(
        self, batch: Sequence[JobRecord], wanted: JobFilter, phone: SoughtPhone | None
    ) -> frozenset[JobId]:
        found = [record.job.job_id for record in batch if _is_wanted(record, wanted)]
        return await self._contents.holding(phone, found) if phone and found else frozenset(found)


def _is_wanted(record: JobRecord, wanted: JobFilter) -> bool:
    if wanted.statuses and job_status(record.deliveries) not in wanted.statuses:
        return False
    return not wanted.with_losses or has_losses(record)


def has_losses(record: JobRecord) -> bool:
    """Some row was rejected, or is lost to some destination."""
    return record.job.invalid > 0 or any(each.states.translate(None, _HARMLESS) for each in record.deliveries)


def _place(record: JobRecord | None) -> tuple[datetime, JobId] | None:
    return (record.job.created_at, record.job.job_id) if record else None


def _batches(records: Sequence[JobRecord]) -> Iterator[list[JobRecord]]:
    """Jobs whose contents are read at once: of so many rows together, or one of more."""
    batch: list[JobRecord] = []
    rows = 0
    for record in records:
        if batch and rows + record.job.total > _AT_ONCE_ROWS:
            yield batch
            batch, rows = [], 0
        batch.append(record)
        rows += record.job.total
    if batch:
        yield batch
