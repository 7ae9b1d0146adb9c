import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.ingestion.domain.client import Client, Origin
from services.ingestion.domain.errors import Refused, conflict, in_progress
from services.ingestion.domain.ids import JobId
from services.ingestion.domain.job import Acceptance, Chunk, Job, RejectedRow, crosses, cut
from services.ingestion.domain.judging import Judged, judge
from services.ingestion.domain.rows import Columns, texts
from services.ingestion.handler.convoys import Convoys
from services.ingestion.handler.drafting import draft_chunk, draft_rejected, none_valid
from services.ingestion.ports.announcing import Announcer
from services.ingestion.ports.peers import Conflict, Fingerprint, InProgress, Key, Keys, Normalizer, Replay, Started
from services.ingestion.ports.rows import Rows
from services.ingestion.ports.store import Jobs
from services.ingestion.ports.time import Clock

SLICE_ROWS = 200
ACCEPTED = 202


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """A request to import, decoded and of the right shape."""

    client: Client
    origin: Origin
    key: str
    fingerprint: Fingerprint
    rows: Rows


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller is told, byte for byte the same for every request with the key.

    job is None when the answer is a stored one.
    """

    job_id: JobId
    status: int
    body: bytes
    job: Job | None = None

    @property
    def replayed(self) -> bool:
        """An earlier request with the key was answered so."""
        return self.job is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """An import up to its commit."""

    job: Job
    columns: Columns
    judged: Judged
    chunks: Sequence[Chunk]
    rejected: Sequence[RejectedRow]


class ImportContacts:
    """Accepts imports. What it answers is on disk; a refused import leaves nothing behind, not even its key."""

    def __init__(
        self,
        *,
        keys: Keys,
        normalizer: Normalizer,
        jobs: Jobs,
        announcer: Announcer,
        clock: Clock,
        answer: Callable[[Job], bytes],
    ) -> None:
        self._keys = keys
        self._normalizer = normalizer
        self._jobs = jobs
        self._announcer = announcer
        self._clock = clock
        self._answer = answer
        self._convoys = Convoys()
        self._large_convoys = Convoys()

    async def accept(self, asked: Import) -> Answer:
        """Makes the key's job, or gives its stored answer.

        Raises Refused with VALIDATION_ERROR (no row is valid), IDEMPOTENCY_CONFLICT, IDEMPOTENCY_IN_PROGRESS or
        SERVICE_UNAVAILABLE.
        """
        async with self._convoys_for(asked).join():
            return await self._accept(asked)

    def _convoys_for(self, asked: Import) -> Convoys:
        """Large ones go with their like: they would keep the small ones waiting."""
        return self._large_convoys if len(asked.rows.columns.phones) > SLICE_ROWS else self._convoys

    async def _accept(self, asked: Import) -> Answer:
        key = Key(asked.client.client_id, asked.key)
        match await self._keys.begin(key, asked.fingerprint):
            case Replay(status, body, job_id):
                return Answer(job_id, status, body)
            case Conflict(existing_created_at):
                raise conflict(existing_created_at)
            case InProgress(lease_until):
                raise in_progress(lease_until - self._clock())
            case Started() as held:
                return await self._finish(asked, key, held)

    async def rehearse(self, asked: Import) -> Drafted:
        """Everything that accept does up to the commit, without the key; stores and sends nothing."""
        return await self._draft(asked, JobId(""))

    async def _finish(self, asked: Import, key: Key, held: Started) -> Answer:
        drafted = await self._draft_or_release(asked, key, held)
        # From here on the key is never freed: if the commit's fate is not known, the next caller with the key gets
        # the same job id when the lease has lapsed, and finishes this very job.
        accepted = await self._jobs.accept(Acceptance(drafted.job, drafted.chunks, drafted.rejected))
        self._announcer.announce(accepted.tickets)
        body = self._answer(accepted.job)
        # The job is on disk, so the caller is told so even when its answer cannot be kept now: the lease lapses, and
        # the next caller with the key finishes the same job, which gives the same answer, made from the stored job.
        with contextlib.suppress(Refused):
            await self._keys.complete(key, held, status=ACCEPTED, body=body)
        return Answer(accepted.job.job_id, ACCEPTED, body, accepted.job)

    async def _draft_or_release(self, asked: Import, key: Key, held: Started) -> Drafted:
        try:
            return await self._draft(asked, held.job_id)
        except Exception:
            # A key that cannot be freed now is free when its lease lapses.
            with contextlib.suppress(Refused):
                await self._keys.release(key, held)
            raise

    async def _draft(self, asked: Import, job_id: JobId) -> Drafted:
        columns, client = asked.rows.columns, asked.client
        normalized = await self._normalizer.normalize(texts(columns), default_region=client.default_region)
        judged = judge(columns, normalized, duplicates=client.duplicates)
        if not judged.kept:
            raise none_valid(asked.rows, judged)
        chunks = []
        for index, rows in enumerate(cut(judged.kept)):
            await _let_others_go_on(len(columns.phones))
            chunks.append(draft_chunk(asked.rows, judged, normalized, job_id, index=index, rows=rows))
        rejected = [draft_rejected(asked.rows, judged, normalized, row) for row in sorted(judged.rejected)]
        return Drafted(
            job=self._job(asked, job_id, judged, chunks),
            columns=columns,
            judged=judged,
            chunks=chunks,
            rejected=rejected,
        )

    def _job(self, asked: Import, job_id: JobId, judged: Judged, chunks: Sequence[Chunk]) -> Job:
        return Job(
            job_id=job_id,
            client_id=asked.client.client_id,
            origin=asked.origin,
            created_at=self._clock(),
            total=len(judged.phones),
            valid=len(judged.kept),
            chunks_count=len(chunks),
            destination_ids=asked.client.destination_ids,
            ordered=crosses([chunk.rows for chunk in chunks], judged.duplicate_of),
            workspace_id=asked.client.workspace_id,
            source_id=asked.client.source_id,
        )


async def _let_others_go_on(rows: int) -> None:
    """A large import is worked in slices, so that a small one does not wait behind it."""
    if rows > SLICE_ROWS:
        await asyncio.sleep(0)
