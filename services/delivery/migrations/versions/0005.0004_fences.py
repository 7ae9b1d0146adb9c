"""A fence for each delivery, so that who lost its lease records nothing any more."""

import sqlalchemy as sa
from alembic import op

revision = "0005.0004"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("fence", sa.Integer, nullable=False, server_default="0"))
