"""How the deliveries of a job begin and go out."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from services.ingestion.domain.job import Acceptance, Job
from services.ingestion.domain.outcome import Delivery, RowState, TicketRef


def first_deliveries(acceptance: Acceptance) -> list[Delivery]:
    """One delivery per chunk and destination; of an ordered job all but the first chunk's are held."""
    return [
        Delivery(
            chunk_id=chunk.chunk_id,
            index=chunk.index,
            destination_id=destination,
            states=bytes([RowState.PENDING]) * chunk.size,
            held=acceptance.job.ordered and chunk.index > 0,
        )
        for chunk in acceptance.chunks
        for destination in acceptance.job.destination_ids
    ]


def ticket(job: Job, delivery: Delivery) -> TicketRef:
    """What delivery is told of it."""
    return TicketRef(
        delivery.chunk_id,
        delivery.destination_id,
        delivery.round,
        job.origin.correlation_id,
        job.origin.traceparent,
        delivery.positions,
    )


def tickets(job: Job, deliveries: Sequence[Delivery]) -> list[TicketRef]:
    """What delivery is told of those that may go out now."""
    return [ticket(job, delivery) for delivery in deliveries if not delivery.held]


def overdue_from(delivery: Delivery, *, now: datetime, patience: timedelta) -> datetime:
    """From when on delivery is told of it again; never before its next try is due."""
    return max(now, delivery.next_attempt_at or now) + patience
