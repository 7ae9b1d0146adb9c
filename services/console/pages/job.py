"""One import: what came in, what became of every row, and each try on the way."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from contactsync.delivery.v1 import delivery_service_pb2 as delivery
from contactsync.ingestion.v1 import ingestion_service_pb2 as ingestion
from contactsync.ingestion.v1.job_pb2 import ChunkStatus, ChunkView, DestinationStates, Job, Row, RowState

from libs.rpc import PeerUnavailable
from services.console.pages.jobs import shown_job
from services.console.shown import moment
from services.console.visit import Act, GoTo, Show, View, Visit

_ROWS_A_PAGE, _CHUNKS, _TRIES = 50, 100, 60
STATES = tuple(name.removeprefix("ROW_STATE_").lower() for name in RowState.keys() if RowState.Value(name))  # noqa: SIM118 - an enum
_MARKS = {
    "pending": "idle", "created": "good", "updated": "good", "unchanged": "good",
    "rejected": "warn", "failed": "bad", "unsupported": "bad", "unknown": "bad",
}  # fmt: skip
_CHUNK_MARKS = {"pending": "idle", "sending": "busy", "sent": "good", "failed": "bad"}


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows are in a state; a word of "row.…"."""

    state: str
    mark: str
    count: int


@dataclass(frozen=True, slots=True)
class ShownChunk:
    """A chunk. `state` is a word of "chunk.…"."""

    view: ChunkView
    state: str
    mark: str
    last_at: datetime | None
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Try:
    """A try to deliver a chunk."""

    at: datetime | None
    chunk: int
    destination_id: str
    round: int
    number: int
    took: timedelta
    status: int
    message: str


@dataclass(frozen=True, slots=True)
class Where:
    """A row at a destination; without an id, of a row that met none."""

    destination_id: str
    state: str
    mark: str
    reason: str


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row with what became of it."""

    row: Row
    wheres: Sequence[Where]
    submitted: str


async def show_job(visit: Visit) -> View:
    """The import, its tries, and a page of its rows."""
    services, job_id = visit.services, visit.path["job_id"]
    state, phone, token = (visit.query.get(name, "").strip() for name in ("state", "phone", "page"))
    wanted = ingestion.ListRowsRequest(
        job_id=job_id,
        page_size=_ROWS_A_PAGE,
        page_token=token,
        state=state if state in STATES else "",
        phone=phone[:64],
    )
    found, listed, tries, names = await asyncio.gather(
        services.ask(services.ingestion.GetJob, ingestion.GetJobRequest(job_id=job_id)),
        services.ask(services.ingestion.ListRows, wanted),
        _tries(visit, job_id),
        _names(visit),
    )
    asked = {name: value for name, value in (("state", state), ("phone", phone)) if value}
    facts = {
        **_facts(found.job),
        "tries": tries[-_TRIES:] if tries is not None else None,
        "names": names,
        "earlier_tries": max(0, len(tries or ()) - _TRIES),
        "rows": [_row(row) for row in listed.rows],
        "url": f"/console/imports/{job_id}{'?' if asked else ''}{urlencode(asked)}",
        "state": state,
        "states": STATES,
        "phone": phone,
        "token": token,
        "next": listed.next_page_token,
    }
    return View("import.html", facts)


async def retry(visit: Visit) -> GoTo:
    """Deliver the failed rows again."""
    services, job_id = visit.services, visit.path["job_id"]
    done = await services.ask(services.ingestion.RetryJob, ingestion.RetryJobRequest(job_id=job_id))
    return GoTo(f"/imports/{job_id}", done="done.rows_retried", count=done.retried_rows)


def _facts(job: Job) -> dict[str, object]:
    created_at, completed_at = moment(job, "created_at"), moment(job, "completed_at")
    destinations = {each.destination_id: _counts(each) for each in job.destinations}
    return {
        "job": shown_job(job),
        "valid": job.valid_contacts,
        "fault": job.error_message,
        "completed_at": completed_at,
        "took": completed_at - created_at if completed_at and created_at else None,
        "chunks": [_chunk(chunk) for chunk in job.chunks[:_CHUNKS]],
        "chunks_count": len(job.chunks),
        "destinations": destinations,
        "has_failed": any(count.state == "failed" for counts in destinations.values() for count in counts),
    }


async def _tries(visit: Visit, job_id: str) -> list[Try] | None:
    """Oldest first. None: delivery does not answer now."""
    services = visit.services
    if len(job_id) > 58:
        return []
    try:
        told = await services.ask(services.delivery.ListJobAttempts, delivery.ListJobAttemptsRequest(job_id=job_id))
    except PeerUnavailable:
        return None
    return [_try(each) for each in told.attempts]


async def _names(visit: Visit) -> dict[str, str]:
    """The names of destinations by their ids. Empty: delivery does not answer now."""
    services = visit.services
    try:
        told = await services.ask(services.delivery.ListDestinations, delivery.ListDestinationsRequest())
    except PeerUnavailable:
        return {}
    return {each.id: each.name for each in told.destinations}


def _try(each: delivery.JobAttempt) -> Try:
    attempt = each.attempt
    return Try(
        at=moment(attempt, "started_at"),
        chunk=each.chunk_index,
        destination_id=each.destination_id,
        round=attempt.round,
        number=attempt.number,
        took=timedelta(seconds=attempt.duration_s),
        status=attempt.response_status_code,
        message=attempt.error_message,
    )


def _state(state: RowState.ValueType) -> str:
    return RowState.Name(state).removeprefix("ROW_STATE_").lower()


def _counts(there: DestinationStates) -> list[Count]:
    named = [(_state(each.state), each.count) for each in there.counts]
    return [Count(state, _MARKS[state], count) for state, count in named]


def _chunk(chunk: ChunkView) -> ShownChunk:
    state = ChunkStatus.Name(chunk.status).removeprefix("CHUNK_STATUS_").lower()
    return ShownChunk(
        chunk, state, _CHUNK_MARKS[state], moment(chunk, "last_attempt_at"), moment(chunk, "next_attempt_at")
    )


def _row(row: Row) -> ShownRow:
    states = [(each, _state(each.state)) for each in row.destinations]
    wheres = [Where(each.destination_id, state, _MARKS[state], each.reason) for each, state in states]
    return ShownRow(row, wheres, row.submitted_json.decode(errors="replace"))


PAGES = (Show("/imports/{job_id}", show_job), Act("/imports/{job_id}/retry", retry))
