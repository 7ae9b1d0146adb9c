"""Jobs and rows as messages."""

from collections.abc import Mapping
from datetime import datetime

import orjson
from contactsync.ingestion.v1 import ingestion_service_pb2 as pb
from contactsync.ingestion.v1 import job_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from libs.stamps import stamp_of
from services.ingestion.domain.activity import MinuteActivity
from services.ingestion.domain.ids import DestinationId
from services.ingestion.domain.job import Job
from services.ingestion.domain.outcome import RowState
from services.ingestion.domain.row_view import RowView
from services.ingestion.domain.rows import decision_name
from services.ingestion.domain.status import (
    ChunkView,
    JobRecord,
    chunk_views,
    destination_counts,
    error_message,
    job_status,
)
from services.ingestion.ports.store import StoredChunk


def moment(at: datetime | None) -> Timestamp | None:
    """The time, or absent."""
    return None if at is None else stamp_of(at)


def accepted(job: Job, *, replayed: bool) -> pb.ImportContactsResponse:
    """The accepted job; that of a dry run has no id."""
    return pb.ImportContactsResponse(
        job_id=job.job_id,
        correlation_id=job.origin.correlation_id,
        replayed=replayed,
        total_contacts=job.total,
        valid_contacts=job.valid,
        invalid_contacts=job.invalid,
        chunks_count=job.chunks_count,
        created_at=moment(job.created_at) if job.job_id else None,
    )


def job_view(record: JobRecord, *, with_chunks: bool = True) -> job_pb2.Job:
    """The job and its counts."""
    job, chunks = record.job, chunk_views(record.deliveries)
    return job_pb2.Job(
        job_id=job.job_id,
        client_id=job.client_id,
        correlation_id=job.origin.correlation_id,
        trace_id=job.origin.trace_id,
        status=job_pb2.JobStatus.ValueType(job_status(record.deliveries)),
        total_contacts=job.total,
        valid_contacts=job.valid,
        invalid_contacts=job.invalid,
        chunks=[_chunk_view(chunk) for chunk in chunks] if with_chunks else [],
        destinations=destination_views(record),
        created_at=moment(job.created_at),
        updated_at=moment(record.updated_at),
        completed_at=moment(record.completed_at),
        error_message=error_message(chunks),
    )


def _chunk_view(chunk: ChunkView) -> job_pb2.ChunkView:
    return job_pb2.ChunkView(
        chunk_index=chunk.index,
        status=job_pb2.ChunkStatus.ValueType(chunk.status),
        size=chunk.size,
        attempt_count=chunk.attempt_count,
        last_attempt_at=moment(chunk.last_attempt_at),
        sent_at=moment(chunk.sent_at),
        next_attempt_at=moment(chunk.next_attempt_at),
        response_status_code=chunk.response_status_code,
        error_message=chunk.error_message,
    )


def minute_view(minute: MinuteActivity) -> pb.MinuteActivity:
    """What came in and what was done in a minute."""
    return pb.MinuteActivity(
        started_at=moment(minute.started_at),
        jobs=minute.jobs,
        rows=minute.rows,
        rejected_rows=minute.rejected_rows,
        completed_jobs=minute.completed_jobs,
        completed_rows=minute.completed_rows,
    )


def destination_views(record: JobRecord) -> list[job_pb2.DestinationStates]:
    """Counts of all rows of the job at each destination."""
    counted = destination_counts(record)
    return [_destination_view(destination, counts) for destination, counts in counted.items()]


def _destination_view(destination: DestinationId, counts: Mapping[RowState, int]) -> job_pb2.DestinationStates:
    return job_pb2.DestinationStates(
        destination_id=destination,
        counts=[
            job_pb2.StateCount(state=job_pb2.RowState.ValueType(state), count=count) for state, count in counts.items()
        ],
    )


def row_view(row: RowView) -> job_pb2.Row:
    """The row as it came in and what became of it."""
    return job_pb2.Row(
        row_index=row.row_index,
        original_phone=row.original_phone,
        normalized_phone=row.normalized_phone,
        region=row.region,
        decided_by=decision_name(row.decided_by),
        destinations=[
            job_pb2.RowAtDestination(
                destination_id=each.destination_id, state=job_pb2.RowState.ValueType(each.state), reason=each.reason
            )
            for each in row.destinations
        ],
        code=row.code,
        pointer=row.pointer,
        message=row.message,
        submitted_json=row.submitted,
        duplicate_of=row.duplicate_of,
        unknown_keys=list(orjson.loads(row.unknown)) if row.unknown else [],
        remarks=row.remarks,
        metadata_version=row.metadata_version,
    )


def chunk(found: StoredChunk | None) -> pb.Chunk:
    """The chunk to deliver; an empty message for an unknown one."""
    if found is None:
        return pb.Chunk()
    return pb.Chunk(
        chunk_id=found.chunk_id,
        client_id=found.client_id,
        size=found.size,
        contacts_json=found.body,
        correlation_id=found.correlation_id,
        created_at=moment(found.created_at),
        erased_positions=found.erased,
        workspace_id=found.workspace_id,
        source_id=found.source_id,
    )
