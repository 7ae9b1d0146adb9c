"""Jobs, their chunks and rejected rows, and what became of each chunk at each destination."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _create_jobs()
    _create_chunks()
    _create_rejected_rows()
    _create_chunk_deliveries()


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("job_id", sa.Text, primary_key=True),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("correlation_id", sa.Text, nullable=False),
        sa.Column("traceparent", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("valid", sa.Integer, nullable=False),
        sa.Column("chunks_count", sa.Integer, nullable=False),
        sa.Column("destination_ids", sa.Text, nullable=False),
        sa.Column("ordered", sa.Integer, nullable=False),
        sa.Column("open_deliveries", sa.Integer, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("completed_at", sa.BigInteger),
    )
    op.create_index("jobs_newest", "jobs", ["created_at", "job_id"])
    op.create_index("jobs_of_client", "jobs", ["client_id", "created_at", "job_id"])
    op.create_index("jobs_of_request", "jobs", ["correlation_id"])


def _create_chunks() -> None:
    op.create_table(
        "chunks",
        sa.Column("job_id", sa.Text, primary_key=True),
        sa.Column("chunk_index", sa.Integer, primary_key=True),
        sa.Column("last_row", sa.Integer, nullable=False),
        sa.Column("row_indexes", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("details", sa.LargeBinary, nullable=False),
    )


def _create_rejected_rows() -> None:
    op.create_table(
        "rejected_rows",
        sa.Column("job_id", sa.Text, primary_key=True),
        sa.Column("row_index", sa.Integer, primary_key=True),
        sa.Column("original_phone", sa.Text, nullable=False),
        sa.Column("normalized_phone", sa.Text, nullable=False),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("decided_by", sa.Integer, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("pointer", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("submitted", sa.LargeBinary, nullable=False),
        sa.Column("metadata_version", sa.Text, nullable=False),
        sa.Column("duplicate_of", sa.Integer),
        sa.Column("unknown", sa.LargeBinary, nullable=False),
    )


def _create_chunk_deliveries() -> None:
    op.create_table(
        "chunk_deliveries",
        sa.Column("job_id", sa.Text, primary_key=True),
        sa.Column("chunk_index", sa.Integer, primary_key=True),
        sa.Column("destination_id", sa.Text, primary_key=True),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("state", sa.Integer, nullable=False),
        sa.Column("states", sa.LargeBinary, nullable=False),
        sa.Column("positions", sa.LargeBinary, nullable=False),
        sa.Column("attempt_count", sa.Integer, nullable=False),
        sa.Column("earlier_attempts", sa.Integer, nullable=False),
        sa.Column("last_attempt_at", sa.BigInteger),
        sa.Column("next_attempt_at", sa.BigInteger),
        sa.Column("sent_at", sa.BigInteger),
        sa.Column("response_status_code", sa.Integer, nullable=False),
        sa.Column("error_message", sa.Text, nullable=False),
        sa.Column("reasons", sa.LargeBinary, nullable=False),
        sa.Column("held", sa.Integer, nullable=False),
        sa.Column("published_at", sa.BigInteger),
        sa.Column("due_at", sa.BigInteger, nullable=False),
    )
    # Partial: what is delivered, which is nearly all, does not lie in it.
    waiting = sa.text("state < 3 AND held = 0")
    op.create_index(
        "chunk_deliveries_due", "chunk_deliveries", ["due_at"], sqlite_where=waiting, postgresql_where=waiting
    )
