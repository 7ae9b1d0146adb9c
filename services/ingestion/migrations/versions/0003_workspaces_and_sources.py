"""Where the contacts of a job land, and which source they come from."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for name in ("workspace_id", "source_id"):
        op.add_column("jobs", sa.Column(name, sa.Text, nullable=False, server_default=""))
