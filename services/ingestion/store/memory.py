"""The store in memory, for tests and trials: the same guarantees but for the disk."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from msgspec import structs

from services.ingestion.domain.activity import MinuteActivity
from services.ingestion.domain.erasure import Person
from services.ingestion.domain.ids import ChunkId, DestinationId, JobId, job_of
from services.ingestion.domain.job import ERASED, Acceptance, Chunk, Job, RejectedRow, fitting
from services.ingestion.domain.opening import first_deliveries, overdue_from, ticket, tickets
from services.ingestion.domain.outcome import Delivery, Outcome, RowState, TicketRef, merge, resolve, retry, spare
from services.ingestion.domain.redelivery import Redelivery, Selection, Verdict, redeliver
from services.ingestion.domain.row_view import ChunkRows
from services.ingestion.domain.status import JobRecord
from services.ingestion.ports.erasing import ContactText
from services.ingestion.ports.store import Accepted, JobQuery, OutboxDepth, Recorded, SoughtPhone, StoredChunk
from services.ingestion.store.memory_looking import activity_of, has

Place = tuple[ChunkId, DestinationId]


@dataclass(slots=True)
class _Kept:
    """A delivery with its place in the outbox; published_at None: not made known yet."""

    delivery: Delivery
    due_at: datetime
    published_at: datetime | None = None

    @property
    def may_go_out(self) -> bool:
        """It is neither done nor held."""
        return not self.delivery.held and not self.delivery.state.final


@dataclass(slots=True)
class _KeptJob:
    acceptance: Acceptance
    updated_at: datetime
    completed_at: datetime | None = None


class MemoryStore:
    """All that ingestion keeps. patience: how long after it was made known a delivery is overdue."""

    def __init__(self, *, phones_of: Callable[[bytes], Sequence[str]], patience: timedelta) -> None:
        self._phones_of = phones_of
        self._patience = patience
        self._jobs: dict[JobId, _KeptJob] = {}
        self._chunks: dict[ChunkId, Chunk] = {}
        self._deliveries: dict[Place, _Kept] = {}
        self._places: dict[JobId, dict[Place, _Kept]] = {}
        self._erased: dict[ChunkId, set[int]] = {}

    async def accept(self, acceptance: Acceptance) -> Accepted:
        """Writes the job, unless it is stored already."""
        job = acceptance.job
        if job.job_id in self._jobs:
            return Accepted(self._jobs[job.job_id].acceptance.job, [])
        self._jobs[job.job_id] = _KeptJob(acceptance, job.created_at)
        self._chunks.update({chunk.chunk_id: chunk for chunk in acceptance.chunks})
        deliveries = first_deliveries(acceptance)
        for delivery in deliveries:
            self._keep(delivery, now=job.created_at)
        return Accepted(job, tickets(job, deliveries))

    def _keep(self, delivery: Delivery, *, now: datetime) -> None:
        due_at = overdue_from(delivery, now=now, patience=self._patience)
        place, kept = (delivery.chunk_id, delivery.destination_id), _Kept(delivery, due_at)
        self._deliveries[place] = self._places.setdefault(job_of(delivery.chunk_id), {})[place] = kept

    async def find(self, job_id: JobId) -> JobRecord | None:
        """The job with its deliveries."""
        kept = self._jobs.get(job_id)
        if kept is None:
            return None
        return JobRecord(kept.acceptance.job, self._deliveries_of(job_id), kept.updated_at, kept.completed_at)

    def _deliveries_of(self, job_id: JobId) -> list[Delivery]:
        found = (kept.delivery for kept in self._places.get(job_id, {}).values())
        return sorted(found, key=lambda each: (each.index, each.destination_id))

    async def newest(self, query: JobQuery) -> Sequence[JobRecord]:
        """The jobs asked for."""
        jobs = [kept.acceptance.job for kept in self._jobs.values() if _asked_for(kept.acceptance.job, query)]
        jobs.sort(key=_age, reverse=True)
        found = [await self.find(job.job_id) for job in jobs[: query.limit]]
        return [record for record in found if record]

    async def chunk_after(self, job_id: JobId, *, row: int) -> ChunkRows | None:
        """The first chunk of the job that has a row behind this index."""
        chunks = self._jobs[job_id].acceptance.chunks
        chunk = next((chunk for chunk in chunks if chunk.rows[-1] > row), None)
        if chunk is None:
            return None
        deliveries = [each for each in self._deliveries_of(job_id) if each.chunk_id == chunk.chunk_id]
        erased = sorted(self._erased.get(chunk.chunk_id, ()))
        return ChunkRows(chunk.rows, self._phones_of(chunk.body), chunk.details, deliveries, erased)

    async def rejected_after(self, job_id: JobId, *, row: int, limit: int) -> Sequence[RejectedRow]:
        """The first rejected rows behind this index, by index."""
        return [each for each in self._jobs[job_id].acceptance.rejected if each.row_index > row][:limit]

    def searchable(self) -> Sequence[Job]:
        """All jobs, newest first."""
        return sorted((kept.acceptance.job for kept in self._jobs.values()), key=_age, reverse=True)

    def erase(self, job_id: JobId, text: ContactText, person: Person, *, now: datetime) -> tuple[int, list[ChunkId]]:
        """Leaves nothing of the person's rows: how many there were, and which chunks they were in."""
        kept = self._jobs[job_id]
        found = {each.chunk_id: text.find(each.body, person) for each in kept.acceptance.chunks}
        chunks = [_without(chunk, found[chunk.chunk_id], text) for chunk in kept.acceptance.chunks]
        gone = [row for row in kept.acceptance.rejected if _is_of(row, text, person)]
        rejected = [row.erased if row in gone else row for row in kept.acceptance.rejected]
        kept.acceptance = replace(kept.acceptance, chunks=chunks, rejected=rejected)
        self._chunks.update({chunk.chunk_id: chunk for chunk in chunks})
        for chunk_id, positions in found.items():
            self._erased.setdefault(chunk_id, set()).update(positions)
        touched = [each for each in self._places[job_id].values() if found[each.delivery.chunk_id]]
        for each in touched:
            each.delivery = spare(each.delivery, found[each.delivery.chunk_id])
        erased = sum(map(len, found.values())) + len(gone)
        kept.updated_at = now if erased else kept.updated_at
        return erased, [chunk_id for chunk_id, positions in found.items() if positions]

    def is_done(self, chunk_id: ChunkId) -> bool:
        """No delivery of the chunk is open."""
        places = self._places[job_of(chunk_id)].values()
        return all(each.delivery.state.final for each in places if each.delivery.chunk_id == chunk_id)

    async def chunks(self, chunk_ids: Sequence[ChunkId], *, enough: int) -> Sequence[StoredChunk | None]:
        """The first of the chunks, to deliver them."""
        found = [self._chunk(each) for each in chunk_ids]
        return found[: fitting([len(each.body) if each else 0 for each in found], enough=enough)]

    def _chunk(self, chunk_id: ChunkId) -> StoredChunk | None:
        chunk = self._chunks.get(chunk_id)
        if chunk is None:
            return None
        job = self._jobs[job_of(chunk_id)].acceptance.job
        return StoredChunk(
            chunk_id,
            job.client_id,
            chunk.size,
            chunk.body,
            job.origin.correlation_id,
            job.created_at,
            sorted(self._erased.get(chunk_id, ())),
            job.workspace_id,
            job.source_id,
        )

    async def holding(self, phone: SoughtPhone, job_ids: Sequence[JobId]) -> frozenset[JobId]:
        """Those of the jobs that have a row with the phone."""
        return frozenset(each for each in job_ids if has(phone, self._jobs[each].acceptance, self._phones_of))

    async def activity(self, since: datetime, until: datetime) -> Sequence[MinuteActivity]:
        """The minutes that have anything to tell, in their order."""
        jobs = [(kept.acceptance.job, kept.completed_at) for kept in self._jobs.values()]
        return activity_of(jobs, since, until)

    async def record(self, outcomes: Sequence[Outcome], *, now: datetime) -> Recorded:
        """Merges the outcomes and lets go what waited for them."""
        merged: dict[Place, Delivery] = {}
        for outcome in outcomes:
            self._merge(outcome, merged)
        for delivery in merged.values():
            self._change(delivery, now)
        released = [found for each in merged.values() if each.state.final for found in self._release(each, now)]
        return Recorded(list(dict.fromkeys(job_of(chunk) for chunk, _ in merged)), released)

    def _merge(self, outcome: Outcome, merged: dict[Place, Delivery]) -> None:
        place = outcome.chunk_id, outcome.destination_id
        kept = self._deliveries.get(place)
        after = merge(merged.get(place, kept.delivery), outcome) if kept else None
        if after:
            merged[place] = after

    def _change(self, delivery: Delivery, now: datetime) -> None:
        kept = self._deliveries[delivery.chunk_id, delivery.destination_id]
        kept.delivery = delivery
        kept.due_at = overdue_from(delivery, now=now, patience=self._patience)
        self._touch(job_of(delivery.chunk_id), now)

    def _touch(self, job_id: JobId, now: datetime) -> None:
        kept = self._jobs[job_id]
        done = all(each.state.final for each in self._deliveries_of(job_id))
        kept.updated_at, kept.completed_at = now, now if done else None

    def _release(self, done: Delivery, now: datetime) -> Iterable[TicketRef]:
        job = self._job(done)
        for delivery in self._deliveries_of(job.job_id):
            if delivery.held and delivery.destination_id == done.destination_id and delivery.index == done.index + 1:
                self._keep(structs.replace(delivery, held=False), now=now)
                yield ticket(job, delivery)

    def _job(self, delivery: Delivery) -> Job:
        return self._jobs[job_of(delivery.chunk_id)].acceptance.job

    async def retry(self, job_id: JobId, *, now: datetime) -> Recorded:
        """Starts the next round of every finished delivery of the job that has failed rows."""
        started = [again for delivery in self._deliveries_of(job_id) if (again := retry(delivery))]
        for delivery in started:
            self._keep(delivery, now=now)
        if not started:
            return Recorded([], [])
        self._touch(job_id, now)
        return Recorded([job_id], tickets(self._jobs[job_id].acceptance.job, started))

    async def redeliver(
        self, selections: Sequence[Selection], *, now: datetime
    ) -> tuple[Sequence[Redelivery], Recorded]:
        """Starts the next rounds."""
        answers: list[Redelivery] = []
        started: list[Delivery] = []
        for selection in selections:
            kept = self._deliveries.get((selection.chunk_id, selection.destination_id))
            answer, after = redeliver(kept.delivery, selection) if kept else (Redelivery(verdict=Verdict.NOTHING), None)
            answers.append(answer)
            if after is not None:
                self._keep(after, now=now)
                self._touch(job_of(after.chunk_id), now)
                started.append(after)
        made_known = [ticket(self._job(delivery), delivery) for delivery in started]
        return answers, Recorded(list(dict.fromkeys(job_of(each.chunk_id) for each in started)), made_known)

    async def resolve(
        self, selections: Sequence[Selection], *, state: RowState, reason: str, now: datetime
    ) -> tuple[Sequence[bytes], Recorded]:
        """Gives unknown rows the state."""
        states: list[bytes] = []
        touched: dict[JobId, None] = {}
        for selection in selections:
            kept = self._deliveries.get((selection.chunk_id, selection.destination_id))
            after = resolve(kept.delivery, selection.positions, state=state, reason=reason) if kept else None
            if after is not None:
                self._change(after, now)
                touched[job_of(after.chunk_id)] = None
            states.append(kept.delivery.states if kept else b"")
        return states, Recorded(list(touched), [])

    async def unpublished(self, *, limit: int) -> Sequence[TicketRef]:
        """Deliveries that were never made known, oldest first."""
        return self._waiting(lambda kept: kept.published_at is None, limit)

    async def depth(self) -> OutboxDepth:
        """Counts what may go out and is not done."""
        unfinished = [kept for kept in self._deliveries.values() if kept.may_go_out]
        waiting = [kept.due_at - self._patience for kept in unfinished if kept.published_at is None]
        return OutboxDepth(len(unfinished), len(waiting), min(waiting, default=None))

    async def overdue(self, *, now: datetime, limit: int) -> Sequence[TicketRef]:
        """Deliveries that are not done although their time is up, the longest overdue first."""
        return self._waiting(lambda kept: kept.due_at <= now, limit)

    def _waiting(self, asked: Callable[[_Kept], bool], limit: int) -> Sequence[TicketRef]:
        open_ones = (kept for kept in self._deliveries.values() if kept.may_go_out)
        waiting = sorted(filter(asked, open_ones), key=lambda kept: kept.due_at)
        return [ticket(self._job(kept.delivery), kept.delivery) for kept in waiting[:limit]]

    def published(self, tickets: Sequence[TicketRef], *, at: datetime, due_at: datetime) -> None:
        """Marks the tickets as made known, overdue from due_at on."""
        for each in tickets:
            kept = self._deliveries[each.chunk_id, each.destination_id]
            if kept.delivery.round == each.round:
                kept.published_at, kept.due_at = at, max(kept.due_at, due_at)


def _without(chunk: Chunk, positions: Sequence[int], text: ContactText) -> Chunk:
    if not positions:
        return chunk
    return replace(chunk, body=text.blank(chunk.body, positions), details=chunk.details.without(positions))


def _is_of(row: RejectedRow, text: ContactText, person: Person) -> bool:
    if row.code == ERASED:
        return False
    return row.normalized_phone in person.phones or bool(text.find(b"[" + row.submitted + b"]", person))


def _asked_for(job: Job, query: JobQuery) -> bool:
    return (
        query.client_id in {None, job.client_id}
        and query.correlation_id in {"", job.origin.correlation_id}
        and (query.before is None or _age(job) < query.before)
    )


def _age(job: Job) -> tuple[datetime, JobId]:
    return job.created_at, job.job_id
