"""The tables of ingestion. Times are microseconds since the epoch, UTC; booleans are 0 or 1.

A chunk's id is its job's and its index, so it needs no column of its own.
"""

from sqlalchemy import BigInteger, Index, LargeBinary, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

OPEN = text("state < 3 AND held = 0")
"""Deliveries that may go out and are not done: the outbox and the sweeper read no others."""

COMPLETED = text("completed_at IS NOT NULL")
"""Jobs whose last row was done."""

NOT_DONE = text("stage < 3")
"""Erasures that are not completed."""


class IngestionTable(SQLModel, registry=registry()):
    """Keeps these tables apart from those of another service in the same interpreter."""


class JobRow(IngestionTable, table=True):
    """A job. open_deliveries counts those that are not final; destination_ids is JSON."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("jobs_newest", "created_at", "job_id"),
        Index("jobs_of_client", "client_id", "created_at", "job_id"),
        Index("jobs_of_request", "correlation_id"),
        Index("jobs_completed", "completed_at", sqlite_where=COMPLETED, postgresql_where=COMPLETED),
    )

    job_id: str = Field(primary_key=True)
    client_id: str
    correlation_id: str
    traceparent: str
    created_at: int = Field(sa_type=BigInteger)
    total: int
    valid: int
    chunks_count: int
    destination_ids: str
    ordered: int
    open_deliveries: int
    updated_at: int = Field(sa_type=BigInteger)
    completed_at: int | None = Field(default=None, sa_type=BigInteger)
    workspace_id: str = ""
    source_id: str = ""


class ChunkRow(IngestionTable, table=True):
    """A chunk. row_indexes and erased are 32-bit little-endian numbers; body is contacts JSON; details is MessagePack.

    erased are the positions of rows of which nothing is left; NULL for none.
    """

    __tablename__ = "chunks"

    job_id: str = Field(primary_key=True)
    chunk_index: int = Field(primary_key=True)
    last_row: int
    row_indexes: bytes = Field(sa_type=LargeBinary)
    body: bytes = Field(sa_type=LargeBinary)
    details: bytes = Field(sa_type=LargeBinary)
    erased: bytes | None = Field(default=None, sa_type=LargeBinary)


class RejectedRowRow(IngestionTable, table=True):
    """A rejected row; unknown holds its members outside the contract as a JSON object, empty for none."""

    __tablename__ = "rejected_rows"

    job_id: str = Field(primary_key=True)
    row_index: int = Field(primary_key=True)
    original_phone: str
    normalized_phone: str
    region: str
    decided_by: int
    code: str
    pointer: str
    message: str
    submitted: bytes = Field(sa_type=LargeBinary)
    metadata_version: str
    duplicate_of: int | None = None
    unknown: bytes = Field(sa_type=LargeBinary)


class ChunkDeliveryRow(IngestionTable, table=True):
    """A chunk at a destination, and its place in the outbox: published_at NULL, not made known yet.

    states has a byte per row; positions are 32-bit little-endian numbers; reasons is MessagePack, empty for none.
    """

    __tablename__ = "chunk_deliveries"
    __table_args__ = (Index("chunk_deliveries_due", "due_at", sqlite_where=OPEN, postgresql_where=OPEN),)

    job_id: str = Field(primary_key=True)
    chunk_index: int = Field(primary_key=True)
    destination_id: str = Field(primary_key=True)
    round: int
    state: int
    states: bytes = Field(sa_type=LargeBinary)
    positions: bytes = Field(sa_type=LargeBinary)
    attempt_count: int
    earlier_attempts: int
    last_attempt_at: int | None = Field(default=None, sa_type=BigInteger)
    next_attempt_at: int | None = Field(default=None, sa_type=BigInteger)
    sent_at: int | None = Field(default=None, sa_type=BigInteger)
    response_status_code: int
    error_message: str
    reasons: bytes = Field(sa_type=LargeBinary)
    held: int
    published_at: int | None = Field(default=None, sa_type=BigInteger)
    due_at: int = Field(sa_type=BigInteger)


class ErasureRow(IngestionTable, table=True):
    """An erasure. person is MessagePack, empty once it is completed; place_… is the last job that was searched."""

    __tablename__ = "erasures"
    __table_args__ = (Index("erasures_unfinished", "created_at", sqlite_where=NOT_DONE, postgresql_where=NOT_DONE),)

    erasure_id: str = Field(primary_key=True)
    client_id: str
    everywhere: int
    person: bytes = Field(sa_type=LargeBinary)
    created_at: int = Field(sa_type=BigInteger)
    stage: int
    place_created_at: int | None = Field(default=None, sa_type=BigInteger)
    place_job_id: str | None = None
    settles_until: int | None = Field(default=None, sa_type=BigInteger)
    jobs: int
    rows: int
    sent_to_book: int
    book_contacts: int
    completed_at: int | None = Field(default=None, sa_type=BigInteger)


class AwaitedChunkRow(IngestionTable, table=True):
    """A chunk out of which an erasure that goes on took rows. It may have been under way."""

    __tablename__ = "awaited_chunks"

    erasure_id: str = Field(primary_key=True)
    job_id: str = Field(primary_key=True)
    chunk_index: int = Field(primary_key=True)
