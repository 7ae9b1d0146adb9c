"""The book."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_BUCKETS = 256


def upgrade() -> None:
    op.create_table(
        "contacts",
        sa.Column("workspace_id", sa.Text, primary_key=True),
        sa.Column("contact_id", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("deleted_at", sa.BigInteger),
        sa.Column("phone", sa.Text, nullable=False),
        sa.Column("first_name", sa.Text, nullable=False),
        sa.Column("last_name", sa.Text, nullable=False),
        sa.Column("company", sa.Text, nullable=False),
        sa.Column("contact_type", sa.Integer, nullable=False),
        sa.Column("search_key", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("additional_fields", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "contact_identities",
        sa.Column("workspace_id", sa.Text, primary_key=True),
        sa.Column("identity", sa.Text, primary_key=True),
        sa.Column("rank", sa.Integer, primary_key=True),
        sa.Column("contact_id", sa.Text, primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "applied_deliveries",
        sa.Column("delivery_id", sa.Text, primary_key=True),
        sa.Column("applied_at", sa.BigInteger, nullable=False, index=True),
        sa.Column("states", sa.LargeBinary, nullable=False),
        sa.Column("failures", sa.Text, nullable=False),
    )
    locks = op.create_table("identity_locks", sa.Column("bucket", sa.Integer, primary_key=True, autoincrement=False))
    op.create_table(
        "contact_counts",
        sa.Column("workspace_id", sa.Text, primary_key=True),
        sa.Column("shard", sa.Integer, primary_key=True),
        sa.Column("live", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(locks, [{"bucket": bucket} for bucket in range(_BUCKETS)])
