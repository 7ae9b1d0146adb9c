"""Erasures, and which rows of a chunk were erased."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("chunks", sa.Column("erased", sa.LargeBinary))
    op.create_table(
        "erasures",
        sa.Column("erasure_id", sa.Text, primary_key=True),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("everywhere", sa.Integer, nullable=False),
        sa.Column("person", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("stage", sa.Integer, nullable=False),
        sa.Column("place_created_at", sa.BigInteger),
        sa.Column("place_job_id", sa.Text),
        sa.Column("settles_until", sa.BigInteger),
        sa.Column("jobs", sa.Integer, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("sent_to_book", sa.Integer, nullable=False),
        sa.Column("book_contacts", sa.Integer, nullable=False),
        sa.Column("completed_at", sa.BigInteger),
    )
    unfinished = sa.text("stage < 3")
    op.create_index(
        "erasures_unfinished", "erasures", ["created_at"], sqlite_where=unfinished, postgresql_where=unfinished
    )
    op.create_table(
        "awaited_chunks",
        sa.Column("erasure_id", sa.Text, primary_key=True),
        sa.Column("job_id", sa.Text, primary_key=True),
        sa.Column("chunk_index", sa.Integer, primary_key=True),
    )
