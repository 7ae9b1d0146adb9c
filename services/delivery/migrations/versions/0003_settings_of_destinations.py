"""Destinations with all their settings, what came back from tries, dead letters and replays."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_DEAD = {6, 7, 8}


def upgrade() -> None:
    op.add_column("destinations", sa.Column("settings", sa.Text, nullable=False, server_default="{}"))
    op.add_column("destinations", sa.Column("sealed_secrets", sa.LargeBinary))
    op.add_column("destinations", sa.Column("pause_reason", sa.Text, nullable=False, server_default=""))
    _widen_attempts()
    _create_dead_letters()
    _bury_what_failed_before()
    _create_replays()


def _widen_attempts() -> None:
    op.add_column("attempts", sa.Column("sealed_answer", sa.LargeBinary))
    # Partial, both: a try that succeeds, which is nearly every one, touches neither.
    failed, answered = sa.text("message <> ''"), sa.text("sealed_answer IS NOT NULL")
    columns = ["destination_id", "started_at"]
    op.create_index("attempts_failed", "attempts", columns, sqlite_where=failed, postgresql_where=failed)
    columns = ["started_at"]
    op.create_index("attempts_answered", "attempts", columns, sqlite_where=answered, postgresql_where=answered)


def _create_dead_letters() -> None:
    op.create_table(
        "dead_letters",
        sa.Column("destination_id", sa.Text, primary_key=True),
        sa.Column("chunk_id", sa.Text, primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("state", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("closed_as", sa.Text),
        sa.Column("closed_at", sa.BigInteger),
        sa.Column("closed_by", sa.Text),
        sa.Column("closed_because", sa.Text),
    )
    op.create_index("dead_letters_latest", "dead_letters", ["destination_id", "at"])


def _bury_what_failed_before() -> None:
    """From the deliveries there are, round by round: a later round takes the place of an earlier one."""
    known = op.get_bind().execute(
        sa.text(
            "SELECT chunk_id, destination_id, round, positions, states, failures, status, message, created_at,"
            " attempted_at FROM deliveries WHERE state <> 'done' OR failures <> '' OR round > 0 ORDER BY round"
        )
    )
    dead: dict[tuple[str, str, int], dict[str, Any]] = {}
    for delivery in known.mappings():
        _overlay(dead, delivery)
    if dead:
        names = next(iter(dead.values()))
        op.bulk_insert(sa.table("dead_letters", *(sa.column(name) for name in names)), list(dead.values()))


def _overlay(dead: dict[tuple[str, str, int], dict[str, Any]], delivery: Any) -> None:
    chunk_id, destination_id, states = delivery["chunk_id"], delivery["destination_id"], bytes(delivery["states"])
    reasons = dict(json.loads(delivery["failures"] or "[]"))
    for position in json.loads(delivery["positions"] or "null") or range(len(states)):
        key = chunk_id, destination_id, position
        dead.pop(key, None)
        if position < len(states) and states[position] in _DEAD:
            dead[key] = {
                "destination_id": destination_id,
                "chunk_id": chunk_id,
                "position": position,
                "job_id": chunk_id.rpartition(".")[0],
                "round": delivery["round"],
                "state": states[position],
                "reason": reasons.get(position, delivery["message"]),
                "status": delivery["status"],
                "at": delivery["attempted_at"] or delivery["created_at"],
            }


def _create_replays() -> None:
    op.create_table(
        "replays",
        sa.Column("replay_id", sa.Text, primary_key=True),
        sa.Column("destination_id", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("states", sa.LargeBinary, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("completed_at", sa.BigInteger),
    )
    op.create_table(
        "replay_items",
        sa.Column("replay_id", sa.Text, primary_key=True),
        sa.Column("chunk_id", sa.Text, primary_key=True),
        sa.Column("destination_id", sa.Text, nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("positions", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("skipped", sa.Integer, nullable=False),
    )
