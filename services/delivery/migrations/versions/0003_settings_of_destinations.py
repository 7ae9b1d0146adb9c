"""Destinations with all their settings, and several secrets."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("destinations", sa.Column("settings", sa.Text, nullable=False, server_default="{}"))
    op.add_column("destinations", sa.Column("sealed_secrets", sa.LargeBinary))
    op.add_column("destinations", sa.Column("pause_reason", sa.Text, nullable=False, server_default=""))
