"""What is kept. Whatever a method wrote is on disk when it returns, all of it or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.ingestion.domain.activity import MinuteActivity
from services.ingestion.domain.ids import ChunkId, ClientId, JobId
from services.ingestion.domain.job import Acceptance, Job, RejectedRow
from services.ingestion.domain.outcome import Outcome, RowState, TicketRef
from services.ingestion.domain.redelivery import Redelivery, Selection
from services.ingestion.domain.row_view import ChunkRows
from services.ingestion.domain.status import JobRecord


@dataclass(frozen=True, slots=True)
class Accepted:
    """The job as stored, by this call or by an earlier one; tickets to announce, none when it was stored before."""

    job: Job
    tickets: Sequence[TicketRef]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobQuery:
    """Jobs, newest first. before: those made before that job; client_id None: every client's."""

    limit: int
    client_id: ClientId | None
    correlation_id: str = ""
    before: tuple[datetime, JobId] | None = None


@dataclass(frozen=True, slots=True)
class SoughtPhone:
    """A phone that rows are looked for by: E.164, empty when it cannot be read as a number, and as it was given."""

    e164: str
    given: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """The jobs that changed, and deliveries that may go out now."""

    changed: Sequence[JobId]
    tickets: Sequence[TicketRef]


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk as delivery gets it."""

    chunk_id: ChunkId
    client_id: ClientId
    size: int
    body: bytes
    correlation_id: str
    created_at: datetime
    """When its job was accepted."""
    erased: Sequence[int] = ()
    """Positions of rows of which nothing is left, ascending: they are not delivered."""
    workspace_id: str = ""
    source_id: str = ""


@dataclass(frozen=True, slots=True)
class OutboxDepth:
    """How many deliveries are not done, and how many of these were never made known, the oldest since when."""

    unfinished: int
    unpublished: int
    oldest_at: datetime | None


class Jobs(Protocol):
    """Jobs."""

    async def accept(self, acceptance: Acceptance) -> Accepted:
        """Writes the job with its chunks, rejected rows and outbox in one unit; nothing when it is stored already."""
        ...

    async def find(self, job_id: JobId) -> JobRecord | None:
        """The job with its deliveries."""
        ...

    async def newest(self, query: JobQuery) -> Sequence[JobRecord]:
        """The jobs asked for."""
        ...


class Contents(Protocol):
    """Rows and chunks."""

    async def chunk_after(self, job_id: JobId, *, row: int) -> ChunkRows | None:
        """The first chunk of the job that has a row behind this index."""
        ...

    async def rejected_after(self, job_id: JobId, *, row: int, limit: int) -> Sequence[RejectedRow]:
        """The first rejected rows behind this index, by index."""
        ...

    async def chunks(self, chunk_ids: Sequence[ChunkId], *, enough: int) -> Sequence[StoredChunk | None]:
        """The first of the chunks, to deliver them, in the order asked; None for an unknown one.

        At least one; no other whose body would make them more than enough bytes.
        """
        ...

    async def holding(self, phone: SoughtPhone, job_ids: Sequence[JobId]) -> frozenset[JobId]:
        """Those of the jobs that have a row with the phone: delivered as E.164, or rejected as it was given."""
        ...


class Activity(Protocol):
    """What came in and what was done."""

    async def activity(self, since: datetime, until: datetime) -> Sequence[MinuteActivity]:
        """The minutes from `since` to before `until`, both whole, that have anything to tell, in their order."""
        ...


class Outcomes(Protocol):
    """What became of deliveries."""

    async def record(self, outcomes: Sequence[Outcome], *, now: datetime) -> Recorded:
        """Merges the outcomes in one unit and lets go what waited for them; an unknown chunk is passed over."""
        ...

    async def retry(self, job_id: JobId, *, now: datetime) -> Recorded:
        """Starts the next round of every finished delivery of the job that has failed rows."""
        ...


class Redeliveries(Protocol):
    """What an operator does with rows whose delivery is over."""

    async def redeliver(
        self, selections: Sequence[Selection], *, now: datetime
    ) -> tuple[Sequence[Redelivery], Recorded]:
        """Starts the next rounds in one unit; one answer per selection, in their order."""
        ...

    async def resolve(
        self, selections: Sequence[Selection], *, state: RowState, reason: str, now: datetime
    ) -> tuple[Sequence[bytes], Recorded]:
        """Gives unknown rows the state in one unit; the states of each chunk then, empty for an unknown delivery."""
        ...


class Outbox(Protocol):
    """Deliveries that delivery must be told of."""

    async def unpublished(self, *, limit: int) -> Sequence[TicketRef]:
        """Deliveries that were never made known, oldest first."""
        ...

    async def overdue(self, *, now: datetime, limit: int) -> Sequence[TicketRef]:
        """Deliveries that are not done although their time is up, the longest overdue first."""
        ...

    def published(self, tickets: Sequence[TicketRef], *, at: datetime, due_at: datetime) -> None:
        """Marks the tickets as made known, overdue from due_at on. On disk soon; a lost mark makes a ticket twice."""
        ...


class OutboxWatch(Protocol):
    """How much there is to make known."""

    async def depth(self) -> OutboxDepth:
        """Counts what may go out and is not done."""
        ...
