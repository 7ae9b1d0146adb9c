"""Destinations, deliveries and their tries."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _create_destinations()
    _create_deliveries()
    _create_attempts()


def _create_destinations() -> None:
    op.create_table(
        "destinations",
        sa.Column("destination_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary),
        sa.Column("first_delay", sa.BigInteger, nullable=False),
        sa.Column("max_delay", sa.BigInteger, nullable=False),
        sa.Column("max_attempts", sa.Integer, nullable=False),
        sa.Column("timeout", sa.BigInteger, nullable=False),
        sa.Column("paused", sa.Integer, nullable=False),
        sa.Column("idempotent", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("chunk_id", sa.Text, primary_key=True),
        sa.Column("destination_id", sa.Text, primary_key=True),
        sa.Column("round", sa.Integer, primary_key=True),
        sa.Column("correlation_id", sa.Text, nullable=False),
        sa.Column("traceparent", sa.Text, nullable=False),
        sa.Column("positions", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("states", sa.LargeBinary, nullable=False),
        sa.Column("failures", sa.Text, nullable=False),
        sa.Column("attempt_count", sa.Integer, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("attempted_at", sa.BigInteger),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
    )
    # Partial: what succeeds at the first try, which is nearly all, never touches it.
    due = sa.text("due_at IS NOT NULL")
    op.create_index(
        "deliveries_due", "deliveries", ["destination_id", "due_at"], sqlite_where=due, postgresql_where=due
    )


def _create_attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("chunk_id", sa.Text, primary_key=True),
        sa.Column("destination_id", sa.Text, primary_key=True),
        sa.Column("round", sa.Integer, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("duration", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
    )
