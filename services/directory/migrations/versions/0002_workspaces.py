"""Workspaces with their credentials, members and actions; numbers of contacts; what searches and walks go by."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# What stood in the book gets numbers in the order of creation, which is that of the ids.
_NUMBER = """
UPDATE contacts SET number = numbered.number FROM (
  SELECT workspace_id, contact_id, row_number() OVER (PARTITION BY workspace_id ORDER BY contact_id) AS number
  FROM contacts
) AS numbered
WHERE contacts.workspace_id = numbered.workspace_id AND contacts.contact_id = numbered.contact_id
"""
_FIRST_TURN = """
INSERT INTO workspace_turns (workspace_id, version, next_number, last_at, unindexed)
SELECT 'default', 1, count(*) + 1, coalesce(max(changed_at), 0), CASE WHEN count(*) > 0 THEN 1 ELSE 0 END
FROM contacts WHERE workspace_id = 'default'
"""


def _text(name: str, *, primary_key: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.Text, nullable=False, primary_key=primary_key)


def _big(name: str, *, primary_key: bool = False) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, nullable=False, primary_key=primary_key, autoincrement=False)


def upgrade() -> None:
    op.add_column("contacts", sa.Column("number", sa.BigInteger, nullable=False, server_default="0"))
    op.execute(_NUMBER)
    op.create_index("contacts_by_number", "contacts", ["workspace_id", "number"], unique=True)
    op.create_index("contacts_by_change", "contacts", ["workspace_id", "changed_at", "contact_id"])
    op.create_table("workspaces", _text("workspace_id", primary_key=True), _big("created_at"), _text("document"))
    op.create_table(
        "workspace_turns",
        _text("workspace_id", primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        _big("next_number"),
        _big("last_at"),
        sa.Column("unindexed", sa.Integer, nullable=False),
    )
    op.execute("INSERT INTO workspaces (workspace_id, created_at, document) VALUES ('default', 0, '')")
    op.execute(_FIRST_TURN)
    _search()
    _walks()
    _people()
    op.create_table(
        "lead_actions",
        _text("workspace_id", primary_key=True),
        _text("contact_id", primary_key=True),
        _text("action_id", primary_key=True),
        _text("type"),
        _text("performed_by"),
        _text("performed_by_id"),
        _big("created_at"),
        _big("changed_at"),
        sa.Column("version", sa.Integer, nullable=False),
        _text("document"),
        sqlite_with_rowid=False,
    )
    op.create_index("lead_actions_by_type", "lead_actions", ["workspace_id", "type", "created_at"])
    op.create_index("lead_actions_by_performer", "lead_actions", ["workspace_id", "performed_by", "created_at"])
    op.create_index("lead_actions_by_time", "lead_actions", ["workspace_id", "created_at"])


def _search() -> None:
    op.create_table(
        "lead_postings",
        _big("term", primary_key=True),
        sa.Column("block", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("places", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "lead_unlettered",
        _text("workspace_id", primary_key=True),
        _text("contact_id", primary_key=True),
        sqlite_with_rowid=False,
    )


def _walks() -> None:
    op.create_table(
        "past_changes",
        _text("workspace_id", primary_key=True),
        _big("until_at", primary_key=True),
        _text("contact_id", primary_key=True),
        _big("changed_at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "walks",
        _text("workspace_id", primary_key=True),
        _text("walk", primary_key=True),
        _big("as_of"),
    )


def _people() -> None:
    op.create_table(
        "members",
        _text("workspace_id", primary_key=True),
        _text("email_key", primary_key=True),
        _text("name_key"),
        _text("state"),
        sa.Column("seat", sa.Integer, nullable=False),
        _text("document"),
    )
    op.create_table(
        "credentials",
        _text("credential_id", primary_key=True),
        _text("workspace_id"),
        _text("kind"),
        _text("user_key"),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        _text("user_email"),
        _big("created_at"),
    )
    op.create_index("credentials_of_workspace", "credentials", ["workspace_id", "kind", "user_key"])
