"""The tables of delivery. Times and durations are microseconds, times since the epoch, UTC; booleans are 0 or 1."""

from sqlalchemy import BigInteger, LargeBinary
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel


class DeliveryTable(SQLModel, registry=registry()):
    """Keeps these tables apart from those of another service in the same interpreter."""


class DestinationRow(DeliveryTable, table=True):
    """A destination. `settings` is JSON, where what is not in it is the default.

    `sealed_secrets` is JSON, sealed under the master key. `sealed_secret` is the one secret of a destination that was
    not changed since there was but one.
    """

    __tablename__ = "destinations"

    destination_id: str = Field(primary_key=True)
    name: str
    kind: str
    url: str
    sealed_secret: bytes | None = Field(default=None, sa_type=LargeBinary)
    first_delay: int = Field(sa_type=BigInteger)
    max_delay: int = Field(sa_type=BigInteger)
    max_attempts: int
    timeout: int = Field(sa_type=BigInteger)
    paused: int
    idempotent: int
    created_at: int = Field(sa_type=BigInteger)
    settings: str
    sealed_secrets: bytes | None = Field(default=None, sa_type=LargeBinary)
    pause_reason: str
    resuming: int


class DeliveryRow(DeliveryTable, table=True):
    """A delivery. `positions`, `part` and `failures` are JSON, empty for none; `due_at` is NULL when it is final."""

    __tablename__ = "deliveries"

    chunk_id: str = Field(primary_key=True)
    destination_id: str = Field(primary_key=True)
    round: int = Field(primary_key=True)
    correlation_id: str
    traceparent: str
    positions: str
    state: str
    created_at: int = Field(sa_type=BigInteger)
    states: bytes = Field(sa_type=LargeBinary)
    failures: str
    attempt_count: int
    tries: int
    part: str
    passed: int
    part_limit: int
    probes: int
    is_tainted: int
    due_at: int | None = Field(default=None, sa_type=BigInteger)
    attempted_at: int | None = Field(default=None, sa_type=BigInteger)
    status: int
    message: str
    fence: int


class AttemptRow(DeliveryTable, table=True):
    """One try. `sealed_answer` is what came back, sealed under the master key, while it is kept."""

    __tablename__ = "attempts"

    chunk_id: str = Field(primary_key=True)
    destination_id: str = Field(primary_key=True)
    round: int = Field(primary_key=True)
    number: int = Field(primary_key=True)
    started_at: int = Field(sa_type=BigInteger)
    duration: int = Field(sa_type=BigInteger)
    status: int
    message: str
    sealed_answer: bytes | None = Field(default=None, sa_type=LargeBinary)


class EchoRow(DeliveryTable, table=True):
    """What was written last to a record of a system that is also read: keyed hashes, NULL for what was not written."""

    __tablename__ = "echoes"

    system: str = Field(primary_key=True)
    remote_id: str = Field(primary_key=True)
    phone: bytes | None = Field(default=None, sa_type=LargeBinary)
    email: bytes | None = Field(default=None, sa_type=LargeBinary)
    first_name: bytes | None = Field(default=None, sa_type=LargeBinary)
    last_name: bytes | None = Field(default=None, sa_type=LargeBinary)
    company: bytes | None = Field(default=None, sa_type=LargeBinary)
    written_at: int = Field(sa_type=BigInteger)


class DeadLetterRow(DeliveryTable, table=True):
    """A row that nobody tries again unasked. `state` is a RowState; `closed_…` are NULL while it is open."""

    __tablename__ = "dead_letters"

    destination_id: str = Field(primary_key=True)
    chunk_id: str = Field(primary_key=True)
    position: int = Field(primary_key=True)
    job_id: str
    round: int
    state: int
    reason: str
    status: int
    at: int = Field(sa_type=BigInteger)
    closed_as: str | None = None
    closed_at: int | None = Field(default=None, sa_type=BigInteger)
    closed_by: str | None = None
    closed_because: str | None = None


class ReplayRow(DeliveryTable, table=True):
    """A replay. `states` is a RowState byte for each state that is sent again."""

    __tablename__ = "replays"

    replay_id: str = Field(primary_key=True)
    destination_id: str
    created_at: int = Field(sa_type=BigInteger)
    created_by: str
    states: bytes = Field(sa_type=LargeBinary)
    total: int
    completed_at: int | None = Field(default=None, sa_type=BigInteger)


class ReplayItemRow(DeliveryTable, table=True):
    """The rows of one chunk in a replay. `positions` is JSON."""

    __tablename__ = "replay_items"

    replay_id: str = Field(primary_key=True)
    chunk_id: str = Field(primary_key=True)
    destination_id: str
    round: int
    positions: str
    state: str
    done: int
    failed: int
    skipped: int
