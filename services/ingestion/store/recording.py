"""The units that change deliveries. All lock rows in one order, deliveries before jobs: none wait in a circle."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from operator import itemgetter

from libs.storage import Row, Transaction, to_micros
from services.ingestion.domain.ids import ChunkId, DestinationId, JobId, index_of, job_of
from services.ingestion.domain.opening import overdue_from, tickets
from services.ingestion.domain.outcome import Delivery, Outcome, RowState, TicketRef, merge, resolve, retry
from services.ingestion.domain.redelivery import Redelivery, Selection, Verdict, redeliver
from services.ingestion.ports.store import Recorded
from services.ingestion.store import rows, statements

_Place = tuple[JobId, int, str]
_NONE = Redelivery(verdict=Verdict.NOTHING)
_ORDERED = -3  # in a row of LOCK_THESE, with the request's correlation id and trace behind it


async def record_in(tx: Transaction, outcomes: Sequence[Outcome], *, now: datetime, patience: timedelta) -> Recorded:
    """Merges the outcomes; lets go the chunk behind one that is done, where a job is ordered."""
    found, known = await _locked(tx, outcomes)
    changed: dict[_Place, Delivery] = {}
    done: Counter[JobId] = Counter()
    for outcome in outcomes:
        place = _place(outcome)
        merged = merge(known[place], outcome) if place in known else None
        if merged is not None:
            known[place] = changed[place] = merged
            done[place[0]] += merged.state.final
    kept = [rows.delivery_row(job_id, each, now=now, patience=patience) for (job_id, *_), each in changed.items()]
    await tx.execute_many(statements.KEEP_DELIVERY, kept)
    released = [
        each
        for place, merged in sorted(changed.items(), key=itemgetter(0))
        if merged.state.final and found[place][_ORDERED]
        for each in await _release_next(tx, place, merged, found[place], now=now, patience=patience)
    ]
    await _touch(tx, done, now=now)
    return Recorded(list(done), released)


async def _locked(
    tx: Transaction, named: Sequence[Outcome | Selection]
) -> tuple[Mapping[_Place, Row], dict[_Place, Delivery]]:
    """Their rows and what these hold by place, without those that there are not."""
    read = await tx.fetch(statements.LOCK_THESE, (list({_place(each) for each in named}),))
    found = {(row[0], row[1], row[2]): row for row in read}
    return found, {place: rows.delivery_of_row(row) for place, row in found.items()}


async def _release_next(
    tx: Transaction, place: _Place, done: Delivery, row: Row, *, now: datetime, patience: timedelta
) -> list[TicketRef]:
    job_id, index, destination_id = place
    due_at = to_micros(overdue_from(done, now=now, patience=patience))
    ready = await tx.fetch(statements.RELEASE, (job_id, index + 1, destination_id, due_at))
    return [rows.ticket_of_row((*each, *row[_ORDERED + 1 :])) for each in ready]


def _place(outcome: Outcome | Selection) -> _Place:
    return job_of(outcome.chunk_id), index_of(outcome.chunk_id), outcome.destination_id


async def _touch(tx: Transaction, done: Counter[JobId], *, now: datetime) -> None:
    at = to_micros(now)
    await tx.execute_many(statements.TOUCH_JOB, [(job_id, done[job_id], at) for job_id in sorted(done)])


async def redeliver_in(
    tx: Transaction, selections: Sequence[Selection], *, now: datetime, patience: timedelta
) -> tuple[Sequence[Redelivery], Recorded]:
    """Starts the next round where there is something to deliver again."""
    answers: dict[Selection, Redelivery] = {}
    done: Counter[JobId] = Counter()
    started: list[TicketRef] = []
    found, known = await _locked(tx, selections)
    for selection in sorted(selections, key=_place):
        place = _place(selection)
        answers[selection], after = redeliver(known[place], selection) if place in known else (_NONE, None)
        if after is None:
            continue
        known[place], job_id = after, place[0]
        await tx.execute(statements.KEEP_DELIVERY, rows.delivery_row(job_id, after, now=now, patience=patience))
        await tx.execute(statements.UNPUBLISH, place)
        done[job_id] -= 1
        *_, correlation_id, traceparent = found[place]
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
    _, known = await _locked(tx, selections)
    for selection in sorted(selections, key=_place):
        place = _place(selection)
        after = resolve(known[place], selection.positions, state=state, reason=reason) if place in known else None
        if after is not None:
            known[place], job_id = after, place[0]
            await tx.execute(statements.KEEP_DELIVERY, rows.delivery_row(job_id, after, now=now, patience=patience))
            touched[job_id] += 0
        states[selection] = known[place].states if place in known else b""
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
