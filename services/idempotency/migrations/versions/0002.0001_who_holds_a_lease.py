"""Who holds a lease, so that it may ask again."""

import sqlalchemy as sa
from alembic import op

revision = "0002.0001"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("keys", sa.Column("holder", sa.LargeBinary))
