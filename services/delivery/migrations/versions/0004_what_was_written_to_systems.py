"""What was written last to records of systems that are also read."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "echoes",
        sa.Column("system", sa.Text, primary_key=True),
        sa.Column("remote_id", sa.Text, primary_key=True),
        sa.Column("phone", sa.LargeBinary),
        sa.Column("email", sa.LargeBinary),
        sa.Column("first_name", sa.LargeBinary),
        sa.Column("last_name", sa.LargeBinary),
        sa.Column("company", sa.LargeBinary),
        sa.Column("written_at", sa.BigInteger, nullable=False),
    )
    op.create_index("echoes_written_at", "echoes", ["written_at"])
