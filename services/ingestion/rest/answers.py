"""Bodies of the import API, names in the order of the document's samples."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from msgspec import Raw

from services.ingestion.domain.errors import TooLarge, timestamp
from services.ingestion.domain.job import Chunk, Job
from services.ingestion.domain.status import (
    ChunkStatus,
    ChunkView,
    JobRecord,
    chunk_views,
    contacts,
    error_message,
    job_status,
)
from services.ingestion.handler.importing import Drafted
from services.ingestion.rest.rows import RestContact, RestRows
from services.ingestion.wire.contacts_json import encode

_LARGEST_ANSWER = 8 << 20


def accepted(job: Job) -> bytes:
    """The 202: told from what does not change, so that it is the same whenever it is made."""
    return encode(
        {
            "job_id": job.job_id,
            "correlation_id": job.origin.correlation_id,
            "idempotency_status": "created",
            "status": "pending",
            "total_contacts": job.total,
            "valid_contacts": job.valid,
            "invalid_contacts": job.invalid,
            "chunks_count": job.chunks_count,
            "created_at": timestamp(job.created_at),
        }
    )


def rehearsed(drafted: Drafted, rows: RestRows) -> bytes:
    """The 200 of a dry run. Raises TooLarge, for it holds every contact twice."""
    job = drafted.job
    body = encode(
        {
            "correlation_id": job.origin.correlation_id,
            "total_contacts": job.total,
            "valid_contacts": job.valid,
            "invalid_contacts": job.invalid,
            "chunks_count": job.chunks_count,
            "validation_results": list(_results(drafted, rows.contacts)),
            "chunks": [_chunk(chunk) for chunk in drafted.chunks],
            "message": "Dry-run mode: no data sent to AI",
        }
    )
    if len(body) > _LARGEST_ANSWER:
        raise TooLarge(message="The answer would have over 8 MiB; split the import", fields={"limit": "8388608"})
    return body


def _results(drafted: Drafted, given: Sequence[RestContact]) -> Iterator[dict[str, Any]]:
    for row, contact in enumerate(given):
        rejection = drafted.judged.rejected.get(row)
        yield {
            "original_phone": drafted.columns.phones[row],
            "normalized_phone": drafted.judged.phones[row] or None,
            "is_valid": rejection is None,
            "error": rejection.message if rejection else None,
            "tags": contact.tags,
            "additional_fields": contact.additionalFields,
        }


def _chunk(chunk: Chunk) -> dict[str, Any]:
    return {"chunk_index": chunk.index, "size": chunk.size, "contacts": Raw(chunk.body)}


def job_body(record: JobRecord) -> bytes:
    """The job as GET shows it."""
    return encode(_job(record))


def retried(record: JobRecord, rows: int) -> bytes:
    """The job after a retry was accepted, and how many rows are tried again."""
    return encode({"job": _job(record), "retried_rows": rows})


def _job(record: JobRecord) -> dict[str, Any]:
    job, counted, chunks = record.job, contacts(record.deliveries), chunk_views(record.deliveries)
    done = [chunk.status for chunk in chunks]
    sent, failed = done.count(ChunkStatus.SENT), done.count(ChunkStatus.FAILED)
    return {
        "job_id": job.job_id,
        "correlation_id": job.origin.correlation_id,
        "status": job_status(record.deliveries).name.lower(),
        "total_contacts": job.total,
        "valid_contacts": job.valid,
        "invalid_contacts": job.invalid,
        "sent_contacts": counted.sent,
        "failed_contacts": counted.failed,
        "chunks_total": len(chunks),
        "chunks_completed": sent,
        "chunks_failed": failed,
        "chunks_pending": len(chunks) - sent - failed,
        "chunks": [_chunk_view(chunk) for chunk in chunks],
        "created_at": timestamp(job.created_at),
        "updated_at": timestamp(record.updated_at),
        "completed_at": _moment(record.completed_at),
        "error_message": error_message(chunks) or None,
    }


def _chunk_view(chunk: ChunkView) -> dict[str, Any]:
    return {
        "chunk_index": chunk.index,
        "status": chunk.status.name.lower(),
        "size": chunk.size,
        "attempt_count": chunk.attempt_count,
        "last_attempt_at": _moment(chunk.last_attempt_at),
        "sent_at": _moment(chunk.sent_at),
        "response_status_code": chunk.response_status_code or None,
        "error_message": chunk.error_message or None,
    }


def _moment(at: datetime | None) -> str | None:
    return timestamp(at) if at else None


def health(*, version: str, now: datetime, healthy: bool = True, checks: dict[str, Any] | None = None) -> bytes:
    """The body of /healthz and /readyz."""
    return encode(
        {
            "status": _health(healthy=healthy),
            "version": version,
            "timestamp": timestamp(now),
            "checks": checks or {},
        }
    )


def database_check(*, healthy: bool) -> dict[str, Any]:
    """The check that /readyz makes."""
    message = "Database connection OK" if healthy else "Database connection failed"
    return {"database": {"status": _health(healthy=healthy), "message": message}}


def _health(*, healthy: bool) -> str:
    return "healthy" if healthy else "unhealthy"
