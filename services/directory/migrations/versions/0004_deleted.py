"""Deleted contacts are found by the time of their deletion without a look at the live ones."""

from alembic import op
from sqlalchemy import text

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    where = text("deleted_at IS NOT NULL")
    op.create_index(
        "contacts_by_deletion",
        "contacts",
        ["workspace_id", "changed_at", "contact_id"],
        sqlite_where=where,
        postgresql_where=where,
    )
