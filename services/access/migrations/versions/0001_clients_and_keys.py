"""Clients, their keys, and the fingerprints of the operator's keys."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "clients",
        sa.Column("client_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("enabled", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("default_region", sa.Text, nullable=False),
        sa.Column("destination_ids", sa.Text, nullable=False),
        sa.Column("duplicates", sa.Text, nullable=False),
        sa.Column("rate", sa.Double, nullable=False),
        sa.Column("allowed_networks", sa.Text, nullable=False),
        sa.Column("hmac", sa.Integer, nullable=False),
    )
    op.create_table(
        "keys",
        sa.Column("key_id", sa.Text, primary_key=True),
        sa.Column("client_id", sa.Text, sa.ForeignKey("clients.client_id"), nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("last_used_at", sa.BigInteger),
    )
    op.create_index("keys_client_id", "keys", ["client_id"])
    op.create_table(
        "key_proofs",
        sa.Column("purpose", sa.Text, primary_key=True),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
    )
