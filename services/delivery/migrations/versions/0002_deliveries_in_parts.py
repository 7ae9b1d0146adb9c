"""What a delivery that is sent in parts remembers, and a destination that goes on after a pause."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("destinations", sa.Column("resuming", sa.Integer, nullable=False, server_default="0"))
    for name in ("tries", "passed", "part_limit", "probes", "is_tainted"):
        op.add_column("deliveries", sa.Column(name, sa.Integer, nullable=False, server_default="0"))
    op.add_column("deliveries", sa.Column("part", sa.Text, nullable=False, server_default=""))
    _order_the_backlog_whole()
    # Until now each try was one of the schedule, and whether it arrived was not kept.
    op.execute(
        "UPDATE deliveries SET tries = attempt_count, is_tainted = 1 WHERE due_at IS NOT NULL AND attempt_count > 0"
    )


def _order_the_backlog_whole() -> None:
    """Many deliveries are due at one moment: when a destination is tried again. A page must not sort them all."""
    op.drop_index("deliveries_due", "deliveries")
    columns, due = ["destination_id", "due_at", "chunk_id", "round"], sa.text("due_at IS NOT NULL")
    op.create_index("deliveries_due", "deliveries", columns, sqlite_where=due, postgresql_where=due)
