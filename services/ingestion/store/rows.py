"""What a row of each table means: the columns are in the order of the statements."""

import sys
from array import array
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from libs.storage import Row, from_micros, to_micros
from services.ingestion.domain.client import Origin
from services.ingestion.domain.ids import ClientId, DestinationId, JobId, chunk_id
from services.ingestion.domain.job import Chunk, Details, Job, RejectedRow
from services.ingestion.domain.opening import overdue_from
from services.ingestion.domain.outcome import Delivery, DeliveryState, TicketRef
from services.ingestion.ports.store import StoredChunk

_pack = msgspec.msgpack.Encoder().encode
_details = msgspec.msgpack.Decoder(Details)
_reasons = msgspec.msgpack.Decoder(dict[int, str])
NUMBER_SIZE = 4
_names = msgspec.json.Decoder(tuple[str, ...])


def job_row(job: Job, *, open_deliveries: int) -> Row:
    """The job as it is inserted."""
    created_at = to_micros(job.created_at)
    return (
        job.job_id,
        job.client_id,
        job.origin.correlation_id,
        job.origin.traceparent,
        created_at,
        job.total,
        job.valid,
        job.chunks_count,
        msgspec.json.encode(job.destination_ids).decode(),
        int(job.ordered),
        open_deliveries,
        created_at,
        job.workspace_id,
        job.source_id,
    )


def job_of_row(row: Sequence[Any]) -> Job:
    """The job, from the columns of JOB_COLUMNS."""
    return Job(
        job_id=JobId(row[0]),
        client_id=ClientId(row[1]),
        origin=Origin(row[2], row[3]),
        created_at=from_micros(row[4]),
        total=row[5],
        valid=row[6],
        chunks_count=row[7],
        destination_ids=tuple(DestinationId(name) for name in _names.decode(row[8])),
        ordered=bool(row[9]),
        workspace_id=row[12],
        source_id=row[13],
    )


def chunk_row(job_id: JobId, chunk: Chunk) -> Row:
    """The chunk as it is inserted."""
    return (job_id, chunk.index, chunk.rows[-1], numbers_blob(chunk.rows), chunk.body, _pack(chunk.details), None)


def stored_chunk_of(row: Row) -> StoredChunk:
    """The chunk as delivery gets it, from the columns of FETCH_CHUNKS."""
    job_id, index, client_id, row_indexes, body, correlation_id, created_at, erased, workspace_id, source_id = row
    return StoredChunk(
        chunk_id(JobId(job_id), index=index),
        ClientId(client_id),
        len(row_indexes) // NUMBER_SIZE,
        body,
        correlation_id,
        from_micros(created_at),
        numbers_of(erased) if erased else (),
        workspace_id,
        source_id,
    )


def details_blob(details: Details) -> bytes:
    """The details as they are kept."""
    return _pack(details)


def details_of(blob: bytes) -> Details:
    """The details of a chunk."""
    return _details.decode(blob)


def numbers_blob(numbers: Sequence[int]) -> bytes:
    """32 bits each, little-endian."""
    return _little_endian(array("I", numbers)).tobytes()


def numbers_of(blob: bytes) -> Sequence[int]:
    """The numbers of a blob."""
    return _little_endian(array("I", blob))


def _little_endian(numbers: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def rejected_row_row(job_id: JobId, row: RejectedRow) -> Row:
    """The rejected row as it is inserted."""
    return (
        job_id,
        row.row_index,
        row.original_phone,
        row.normalized_phone,
        row.region,
        row.decided_by,
        row.code,
        row.pointer,
        row.message,
        row.submitted,
        row.metadata_version,
        row.duplicate_of,
        row.unknown,
    )


def rejected_row_of(row: Row) -> RejectedRow:
    """The rejected row, from its columns without the job's id."""
    return RejectedRow(
        row_index=row[0],
        original_phone=row[1],
        normalized_phone=row[2],
        region=row[3],
        decided_by=row[4],
        code=row[5],
        pointer=row[6],
        message=row[7],
        submitted=row[8],
        metadata_version=row[9],
        duplicate_of=row[10],
        unknown=row[11],
    )


def blanked_row(job_id: JobId, row: Row) -> Row:
    """The values that leave nothing of the rejected row."""
    blank = rejected_row_of(row).erased
    return (
        job_id,
        blank.row_index,
        blank.original_phone,
        blank.normalized_phone,
        blank.region,
        blank.decided_by,
        blank.code,
        blank.message,
        blank.submitted,
        blank.unknown,
    )


def delivery_row(job_id: JobId, delivery: Delivery, *, now: datetime, patience: timedelta) -> Row:
    """The delivery as it is inserted, and the values of KEEP_DELIVERY; not made known yet."""
    return (
        job_id,
        delivery.index,
        delivery.destination_id,
        delivery.round,
        delivery.state.value,
        delivery.states,
        numbers_blob(delivery.positions),
        delivery.attempt_count,
        delivery.earlier_attempts,
        _micros(delivery.last_attempt_at),
        _micros(delivery.next_attempt_at),
        _micros(delivery.sent_at),
        delivery.response_status_code,
        delivery.error_message,
        reasons_blob(delivery.reasons),
        int(delivery.held),
        to_micros(overdue_from(delivery, now=now, patience=patience)),
    )


def delivery_of_row(row: Sequence[Any]) -> Delivery:
    """The delivery, from the columns of DELIVERY_COLUMNS."""
    return Delivery(
        chunk_id=chunk_id(JobId(row[0]), index=row[1]),
        index=row[1],
        destination_id=DestinationId(row[2]),
        round=row[3],
        state=DeliveryState(row[4]),
        states=row[5],
        positions=tuple(numbers_of(row[6])),
        attempt_count=row[7],
        earlier_attempts=row[8],
        last_attempt_at=_moment(row[9]),
        next_attempt_at=_moment(row[10]),
        sent_at=_moment(row[11]),
        response_status_code=row[12],
        error_message=row[13],
        reasons=_reasons_of(row[14]),
        held=bool(row[15]),
    )


def reasons_blob(reasons: Mapping[int, str]) -> bytes:
    """The reasons as they are kept."""
    return _pack(reasons) if reasons else b""


def _reasons_of(blob: bytes) -> Mapping[int, str]:
    return _reasons.decode(blob) if blob else {}


def ticket_of_row(row: Row) -> TicketRef:
    """The ticket, from the columns of TICKET_COLUMNS."""
    return TicketRef(
        chunk_id(JobId(row[0]), index=row[1]), DestinationId(row[2]), row[3], row[5], row[6], tuple(numbers_of(row[4]))
    )


def _micros(moment: datetime | None) -> int | None:
    return to_micros(moment) if moment else None


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)
