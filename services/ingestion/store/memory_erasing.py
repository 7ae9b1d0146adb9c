"""Erasures in memory, beside MemoryStore."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from services.ingestion.domain.erasure import BOOK, Erasure, ErasureId, Stage
from services.ingestion.domain.ids import ChunkId
from services.ingestion.domain.job import Job
from services.ingestion.ports.erasing import ContactText, Searched
from services.ingestion.store.memory import MemoryStore


class MemoryErasures:
    """Erasures, and the work on what a MemoryStore keeps: one job a step."""

    def __init__(self, store: MemoryStore, *, text: ContactText) -> None:
        self._store = store
        self._text = text
        self._erasures: dict[ErasureId, Erasure] = {}
        self._awaited: dict[ErasureId, list[ChunkId]] = {}

    async def begin(self, erasure: Erasure, *, limit: int) -> Erasure | None:
        """Keeps it, or gives the one that is open for the same client and person; None: `limit` are open."""
        known = [each for each in await self.unfinished() if each.client_id == erasure.client_id]
        for each in known:
            if (each.person, each.everywhere) == (erasure.person, erasure.everywhere):
                return each
        if len(known) >= limit:
            return None
        self._erasures[erasure.erasure_id] = erasure
        return erasure

    async def find(self, erasure_id: ErasureId) -> Erasure | None:
        """The erasure."""
        return self._erasures.get(erasure_id)

    async def unfinished(self) -> Sequence[Erasure]:
        """Those that are not completed, oldest first."""
        return [each for each in self._erasures.values() if each.stage is not Stage.COMPLETED]

    async def search(self, erasure: Erasure, *, now: datetime) -> Searched:
        """Erases the person's rows from the next job."""
        known = self._erasures[erasure.erasure_id]
        job = next((job for job in self._store.searchable() if _is_next(job, erasure)), None)
        if job is None:
            return Searched(erasure, [], done=True)
        erased, touched = self._store.erase(job.job_id, self._text, erasure.person, now=now)
        self._awaited.setdefault(erasure.erasure_id, []).extend(touched)
        after = replace(
            known,
            place=(job.created_at, job.job_id),
            jobs=known.jobs + (erased > 0),
            rows=known.rows + erased,
            sent_to_book=known.sent_to_book or (erased > 0 and BOOK in job.destination_ids),
        )
        self._erasures[erasure.erasure_id] = after
        return Searched(after, [job.job_id] if erased else [], done=False)

    async def is_settled(self, erasure: Erasure) -> bool:
        """No chunk that was not done when it was searched is still not done."""
        return all(map(self._store.is_done, self._awaited.get(erasure.erasure_id, [])))

    async def chunks(self, erasure: Erasure) -> Sequence[ChunkId]:
        """The chunks out of which it took rows, until it is completed."""
        return self._awaited.get(erasure.erasure_id, [])

    async def keep(self, erasure: Erasure) -> None:
        """Keeps its stage and times, and its count in the book; a completed one forgets its person."""
        self._erasures[erasure.erasure_id] = erasure
        if erasure.stage is Stage.COMPLETED:
            self._awaited.pop(erasure.erasure_id, None)


def _is_next(job: Job, erasure: Erasure) -> bool:
    if not (erasure.everywhere or job.client_id == erasure.client_id):
        return False
    return erasure.place is None or (job.created_at, job.job_id) < erasure.place
