"""A job as its callers see it: states and counts, all derived from its deliveries."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from itertools import groupby

from services.ingestion.domain.ids import DestinationId
from services.ingestion.domain.job import Job
from services.ingestion.domain.outcome import TAKEN, Delivery, DeliveryState, RowState


class JobStatus(IntEnum):
    """State of a job; numbers of contactsync.ingestion.v1.JobStatus. Clients stop polling on the last two alone."""

    PENDING = 1
    PROCESSING = 2
    COMPLETED = 3
    FAILED = 4


class ChunkStatus(IntEnum):
    """State of a chunk over all destinations; numbers of contactsync.ingestion.v1.ChunkStatus."""

    PENDING = 1
    SENDING = 2
    SENT = 3
    FAILED = 4


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job with its deliveries, by chunk, then by destination id."""

    job: Job
    deliveries: Sequence[Delivery]
    updated_at: datetime
    completed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkView:
    """A chunk over all destinations."""

    index: int
    status: ChunkStatus
    size: int
    attempt_count: int
    last_attempt_at: datetime | None
    sent_at: datetime | None
    next_attempt_at: datetime | None
    response_status_code: int
    error_message: str


@dataclass(frozen=True, slots=True)
class Contacts:
    """How many valid rows every destination took, and how many are lost to some destination; the rest is pending."""

    sent: int
    failed: int


def job_status(deliveries: Sequence[Delivery]) -> JobStatus:
    """Failed means that nothing was sent; a job of which only some chunks failed is completed."""
    if all(each.state.final for each in deliveries):
        nothing_sent = all(each.state is DeliveryState.FAILED for each in deliveries)
        return JobStatus.FAILED if nothing_sent else JobStatus.COMPLETED
    return JobStatus.PROCESSING if any(each.attempts for each in deliveries) else JobStatus.PENDING


def chunk_views(deliveries: Sequence[Delivery]) -> list[ChunkView]:
    """Its chunks by index."""
    return [_chunk_view(list(chunk)) for _, chunk in groupby(deliveries, key=lambda each: each.index)]


def _chunk_view(deliveries: Sequence[Delivery]) -> ChunkView:
    status = _chunk_status(deliveries)
    last = max(deliveries, key=_last_tried)
    return ChunkView(
        index=last.index,
        status=status,
        size=len(last.states),
        attempt_count=max(each.attempts for each in deliveries),
        last_attempt_at=last.last_attempt_at,
        sent_at=max(filter(None, (each.sent_at for each in deliveries))) if status is ChunkStatus.SENT else None,
        next_attempt_at=min(filter(None, (each.next_attempt_at for each in deliveries)), default=None),
        response_status_code=last.response_status_code,
        error_message=next((each.error_message for each in deliveries if each.error_message), ""),
    )


def _last_tried(delivery: Delivery) -> float:
    return delivery.last_attempt_at.timestamp() if delivery.last_attempt_at else 0.0


def _chunk_status(deliveries: Sequence[Delivery]) -> ChunkStatus:
    states = {each.state for each in deliveries}
    if all(state.final for state in states):
        return ChunkStatus.FAILED if DeliveryState.FAILED in states else ChunkStatus.SENT
    return ChunkStatus.PENDING if DeliveryState.PENDING in states else ChunkStatus.SENDING


_RANK = bytes(0 if state in TAKEN else 1 if state == RowState.PENDING else 2 for state in range(256))


def contacts(deliveries: Sequence[Delivery]) -> Contacts:
    """Counts over all destinations: a row lost to one of them counts as failed, whatever the others did."""
    ranks = [_worst(list(chunk)) for _, chunk in groupby(deliveries, key=lambda each: each.index)]
    return Contacts(sum(rank.count(0) for rank in ranks), sum(rank.count(2) for rank in ranks))


def _worst(deliveries: Sequence[Delivery]) -> bytes:
    columns = [each.states.translate(_RANK) for each in deliveries]
    return columns[0] if len(columns) == 1 else bytes(map(max, *columns))


def destination_counts(record: JobRecord) -> Mapping[DestinationId, Mapping[RowState, int]]:
    """Counts of all rows at each destination, by destination id; they add up to the rows received."""
    return {destination: dict(_counts(record, destination)) for destination in sorted(record.job.destination_ids)}


def _counts(record: JobRecord, destination: DestinationId) -> Iterator[tuple[RowState, int]]:
    columns = [each.states for each in record.deliveries if each.destination_id == destination]
    for state in RowState:
        count = sum(column.count(state) for column in columns)
        if state is RowState.REJECTED:
            count += record.job.invalid
        if count:
            yield state, count


def error_message(chunks: Sequence[ChunkView]) -> str:
    """What failed, as a sentence; empty when no chunk did."""
    failed = [chunk for chunk in chunks if chunk.status is ChunkStatus.FAILED]
    if not failed:
        return ""
    cause = next((f": {chunk.error_message}" for chunk in failed if chunk.error_message), "")
    return f"{len(failed)} of {len(chunks)} chunks failed{cause}"
