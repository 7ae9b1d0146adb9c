"""The workspace that a client's contacts land in."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("clients", sa.Column("workspace_id", sa.Text, nullable=False, server_default=""))
