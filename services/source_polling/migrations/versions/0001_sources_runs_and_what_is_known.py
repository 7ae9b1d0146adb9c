"""Sources, their runs, and what is known of their contacts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TALLY = (
    "pages", "seen", "changed", "unchanged", "echoes", "skipped", "deleted", "held_deletes", "tokens", "retries",
)  # fmt: skip


def upgrade() -> None:
    _create_sources()
    _create_runs()
    _create_what_runs_leave()


def _create_sources() -> None:
    op.create_table(
        "sources",
        sa.Column("source_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("sealed_secrets", sa.LargeBinary, nullable=False),
        sa.Column("enabled", sa.Integer, nullable=False),
        sa.Column("next_run_at", sa.BigInteger),
        sa.Column("cursor", sa.BigInteger),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )


def _create_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("full", sa.Integer, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("since", sa.BigInteger),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("phase", sa.Text, nullable=False),
        sa.Column("page_cursor", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("begun_at", sa.BigInteger),
        sa.Column("known", sa.Integer, nullable=False),
        sa.Column("parcels", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in TALLY),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("leased_until", sa.BigInteger),
        sa.Column("fence", sa.Integer, nullable=False),
    )
    op.create_index("runs_of_source", "runs", ["source_id", "number"], unique=True)
    is_open = sa.text("status IN ('running', 'waiting')")
    op.create_index("runs_open", "runs", ["source_id"], unique=True, sqlite_where=is_open, postgresql_where=is_open)


def _create_what_runs_leave() -> None:
    op.create_table(
        "skips",
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("external_id", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "parcels",
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "known_contacts",
        sa.Column("source_id", sa.Text, primary_key=True),
        sa.Column("external_id", sa.Text, primary_key=True),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("seen_in", sa.Integer, nullable=False),
        sa.Column("condemned_in", sa.Integer),
    )
    condemned = sa.text("condemned_in IS NOT NULL")
    op.create_index(
        "known_contacts_condemned",
        "known_contacts",
        ["source_id", "condemned_in"],
        sqlite_where=condemned,
        postgresql_where=condemned,
    )
