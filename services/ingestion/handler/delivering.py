from collections.abc import Sequence

from services.ingestion.domain.ids import ChunkId, ClientId, JobId
from services.ingestion.domain.outcome import Outcome, RowState, retried_rows
from services.ingestion.domain.redelivery import Redelivery, Selection
from services.ingestion.domain.status import JobRecord
from services.ingestion.handler.following import FollowJobs
from services.ingestion.ports.announcing import Announcer, Changes
from services.ingestion.ports.store import Contents, Outcomes, Redeliveries, StoredChunk
from services.ingestion.ports.time import Clock

ENOUGH_BYTES = 4 << 20


class ServeDelivery:
    """What delivery asks of ingestion."""

    def __init__(
        self, *, contents: Contents, outcomes: Outcomes, announcer: Announcer, changes: Changes, clock: Clock
    ) -> None:
        self._contents = contents
        self._outcomes = outcomes
        self._announcer = announcer
        self._changes = changes
        self._clock = clock

    async def fetch(self, chunk_ids: Sequence[ChunkId]) -> Sequence[StoredChunk | None]:
        """The first of the chunks, at least one, in the order asked, up to 4 MiB; None for an unknown one."""
        return await self._contents.chunks(chunk_ids, enough=ENOUGH_BYTES)

    async def record(self, outcomes: Sequence[Outcome]) -> None:
        """Keeps what became of deliveries; the same outcome twice changes nothing."""
        recorded = await self._outcomes.record(outcomes, now=self._clock())
        self._announcer.announce(recorded.tickets)
        self._changes.ring(recorded.changed)


class RedeliverRows:
    """Delivers rows again, or takes their fate for known, because an operator of delivery says so."""

    def __init__(self, *, redeliveries: Redeliveries, announcer: Announcer, changes: Changes, clock: Clock) -> None:
        self._redeliveries = redeliveries
        self._announcer = announcer
        self._changes = changes
        self._clock = clock

    async def redeliver(self, selections: Sequence[Selection]) -> Sequence[Redelivery]:
        """What was done with each selection, in their order. Asked twice it is done once."""
        answers, recorded = await self._redeliveries.redeliver(selections, now=self._clock())
        self._announcer.announce(recorded.tickets)
        self._changes.ring(recorded.changed)
        return answers

    async def resolve(self, selections: Sequence[Selection], *, state: RowState, reason: str) -> Sequence[bytes]:
        """The states of each chunk then, in the order of the selections; empty for an unknown delivery."""
        states, recorded = await self._redeliveries.resolve(selections, state=state, reason=reason, now=self._clock())
        self._changes.ring(recorded.changed)
        return states


class RetryJobs:
    """Delivers failed rows again, because an operator asks for it."""

    def __init__(
        self, *, follow: FollowJobs, outcomes: Outcomes, announcer: Announcer, changes: Changes, clock: Clock
    ) -> None:
        self._follow = follow
        self._outcomes = outcomes
        self._announcer = announcer
        self._changes = changes
        self._clock = clock

    async def retry(self, job_id: JobId, *, viewer: ClientId | None) -> tuple[JobRecord, int]:
        """The job, and how many rows are being tried again; rows that are tried already stay as they are.

        Raises JobNotFound.
        """
        await self._follow.get(job_id, viewer=viewer)
        recorded = await self._outcomes.retry(job_id, now=self._clock())
        self._announcer.announce(recorded.tickets)
        self._changes.ring(recorded.changed)
        record = await self._follow.get(job_id, viewer=viewer)
        return record, retried_rows(record.deliveries)
