"""The units that change deliveries. All lock rows in one order, deliveries before jobs: none wait in a circle."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from libs.storage import Transaction, to_micros
from services.ingestion.domain.ids import JobId, index_of, job_of
from services.ingestion.domain.opening import overdue_from, tickets
from services.ingestion.domain.outcome import Outcome, TicketRef, merge, retry
from services.ingestion.ports.store import Recorded
from services.ingestion.store import rows, statements


async def record_in(tx: Transaction, outcomes: Sequence[Outcome], *, now: datetime, patience: timedelta) -> Recorded:
    """Merges the outcomes; lets go the chunk behind one that is done, where a job is ordered."""
    done: Counter[JobId] = Counter()
    released: list[TicketRef] = []
    for outcome in sorted(outcomes, key=_place):
        found = await tx.fetch_one(statements.LOCK_DELIVERY, _place(outcome))
        merged = merge(rows.delivery_of_row(found), outcome) if found else None
        if found is None or merged is None:
            continue
        job_id = job_of(merged.chunk_id)
        await tx.execute(statements.KEEP_DELIVERY, rows.delivery_row(job_id, merged, now=now, patience=patience))
        done[job_id] += merged.state.final
        *_, ordered, correlation_id, traceparent = found
        if merged.state.final and ordered:
            due_at = to_micros(overdue_from(merged, now=now, patience=patience))
            following = (job_id, merged.index + 1, merged.destination_id, due_at)
            ready = await tx.fetch(statements.RELEASE, following)
            released += [rows.ticket_of_row((*row, correlation_id, traceparent)) for row in ready]
    await _touch(tx, done, now=now)
    return Recorded(list(done), released)


def _place(outcome: Outcome) -> tuple[JobId, int, str]:
    return job_of(outcome.chunk_id), index_of(outcome.chunk_id), outcome.destination_id


async def _touch(tx: Transaction, done: Counter[JobId], *, now: datetime) -> None:
    for job_id in sorted(done):
        await tx.execute(statements.TOUCH_JOB, (job_id, done[job_id], to_micros(now)))


async def retry_in(tx: Transaction, job_id: JobId, *, now: datetime, patience: timedelta) -> Recorded:
    """Starts the next round of every finished delivery of the job that has failed rows."""
    job = await tx.fetch_one(statements.FIND_JOB, (job_id,))
    known = await tx.fetch(statements.LOCK_DELIVERIES_OF_JOB, (job_id,))
    started = [again for row in known if (again := retry(rows.delivery_of_row(row)))]
    if job is None or not started:
        return Recorded([], [])
    for delivery in started:
        await tx.execute(statements.KEEP_DELIVERY, rows.delivery_row(job_id, delivery, now=now, patience=patience))
        await tx.execute(statements.UNPUBLISH, (job_id, delivery.index, delivery.destination_id))
    await _touch(tx, Counter({job_id: -len(started)}), now=now)
    return Recorded([job_id], tickets(rows.job_of_row(job), started))
