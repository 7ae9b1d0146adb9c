"""Finds the jobs that were completed of late. Jobs that are not completed have no place in it."""

import sqlalchemy as sa
from alembic import op

revision = "0004.0003"
down_revision = "0003"


def upgrade() -> None:
    completed = sa.text("completed_at IS NOT NULL")
    op.create_index("jobs_completed", "jobs", ["completed_at"], sqlite_where=completed, postgresql_where=completed)
