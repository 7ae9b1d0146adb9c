"""The units that change deliveries. All lock rows in one order, deliveries before jobs: none wait in a circle."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from libs.storage import Transaction, to_micros
from services.ingestion.domain.ids import ChunkId, DestinationId, JobId, index_of, job_of
from services.ingestion.domain.opening import overdue_from, tickets
from services.ingestion.domain.outcome import Delivery, Outcome, RowState, TicketRef, merge, resolve, retry
from services.ingestion.domain.redelivery import Redelivery, Selection, Verdict, redeliver
from services.ingestion.ports.store import Recorded
from services.ingestion.store import rows, statements

_NONE = Redelivery(verdict=Verdict.NOTHING)


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


def _place(outcome: Outcome | Selection) -> tuple[JobId, int, str]:
    return job_of(outcome.chunk_id), index_of(outcome.chunk_id), outcome.destination_id


async def _touch(tx: Transaction, done: Counter[JobId], *, now: datetime) -> None:
    for job_id in sorted(done):
        await tx.execute(statements.TOUCH_JOB, (job_id, done[job_id], to_micros(now)))


async def redeliver_in(
    tx: Transaction, selections: Sequence[Selection], *, now: datetime, patience: timedelta
) -> tuple[Sequence[Redelivery], Recorded]:
    """Starts the next round where there is something to deliver again."""
    answers: dict[Selection, Redelivery] = {}
    done: Counter[JobId] = Counter()
    started: list[TicketRef] = []
    for selection in sorted(selections, key=_place):
        found = await tx.fetch_one(statements.LOCK_DELIVERY, _place(selection))
        answer, after = redeliver(rows.delivery_of_row(found), selection) if found else (_NONE, None)
        answers[selection] = answer
        if found is None or after is None:
            continue
        job_id = job_of(after.chunk_id)
        await tx.execute(statements.KEEP_DELIVERY, rows.delivery_row(job_id, after, now=now, patience=patience))
        await tx.execute(statements.UNPUBLISH, _place(selection))
        done[job_id] -= 1
        *_, correlation_id, traceparent = found
        started.append(TicketRef(*_key_of(after), correlation_id, traceparent, after.positions))
    await _touch(tx, done, now=now)
    return [answers[selection] for selection in selections], Recorded(list(done), started)


def _key_of(delivery: Delivery) -> tuple[ChunkId, DestinationId, int]:
    return delivery.chunk_id, delivery.destination_id, delivery.round


async def resolve_in(
    tx: Transaction,
    selections: Sequence[Selection],
    *,
    state: RowState,
    reason: str,
    now: datetime,
    patience: timedelta,
) -> tuple[Sequence[bytes], Recorded]:
    """Gives unknown rows the state."""
    states: dict[Selection, bytes] = {}
    touched: Counter[JobId] = Counter()
    for selection in sorted(selections, key=_place):
        found = await tx.fetch_one(statements.LOCK_DELIVERY, _place(selection))
        known = rows.delivery_of_row(found) if found else None
        after = resolve(known, selection.positions, state=state, reason=reason) if known else None
        states[selection] = (after or known).states if known else b""
        if after is not None:
            job_id = job_of(after.chunk_id)
            await tx.execute(statements.KEEP_DELIVERY, rows.delivery_row(job_id, after, now=now, patience=patience))
            touched[job_id] += 0
    await _touch(tx, touched, now=now)
    return [states[selection] for selection in selections], Recorded(list(touched), [])


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
