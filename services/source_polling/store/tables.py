"""The tables of source polling. Times are microseconds since the epoch, UTC; booleans are 0 or 1."""

from sqlalchemy import BigInteger, Index, LargeBinary, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

OPEN = text("status IN ('running', 'waiting')")
"""A source has at most one run like this: the index sees to it, whatever comes together."""
CONDEMNED = text("condemned_in IS NOT NULL")


class PollingTable(SQLModel, registry=registry()):
    """Keeps these tables apart from those of another service in the same interpreter."""


class SourceRow(PollingTable, table=True):
    """A source. `settings` is JSON of all that is not secret; the secrets are JSON, sealed under the master key."""

    __tablename__ = "sources"

    source_id: str = Field(primary_key=True)
    name: str
    kind: str
    settings: str
    sealed_secrets: bytes = Field(sa_type=LargeBinary)
    enabled: int
    next_run_at: int | None = Field(default=None, sa_type=BigInteger)
    cursor: int | None = Field(default=None, sa_type=BigInteger)
    created_at: int = Field(sa_type=BigInteger)


class RunRow(PollingTable, table=True):
    """A run. Its counts are those of the domain's Tally."""

    __tablename__ = "runs"
    __table_args__ = (
        Index("runs_of_source", "source_id", "number", unique=True),
        Index("runs_open", "source_id", unique=True, sqlite_where=OPEN, postgresql_where=OPEN),
    )

    run_id: str = Field(primary_key=True)
    source_id: str
    number: int
    full: int
    started_at: int = Field(sa_type=BigInteger)
    since: int | None = Field(default=None, sa_type=BigInteger)
    status: str
    phase: str
    page_cursor: str
    fingerprint: bytes = Field(sa_type=LargeBinary)
    begun_at: int | None = Field(default=None, sa_type=BigInteger)
    known: int
    parcels: int
    pages: int
    seen: int
    changed: int
    unchanged: int
    echoes: int
    skipped: int
    deleted: int
    held_deletes: int
    tokens: int
    retries: int
    due_at: int | None = Field(default=None, sa_type=BigInteger)
    ended_at: int | None = Field(default=None, sa_type=BigInteger)
    message: str
    holder: str
    leased_until: int | None = Field(default=None, sa_type=BigInteger)
    fence: int


class SkipRow(PollingTable, table=True):
    """A row that a run left out; `place` counts them."""

    __tablename__ = "skips"

    run_id: str = Field(primary_key=True)
    place: int = Field(primary_key=True)
    external_id: str
    reason: str


class ParcelRow(PollingTable, table=True):
    """An import that was decided on; its body is the request, and goes as soon as it was taken."""

    __tablename__ = "parcels"

    run_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    body: bytes = Field(sa_type=LargeBinary)


class KnownContactRow(PollingTable, table=True):
    """A contact that was taken over: a keyed hash of it, the run that saw it last, and the one that would delete it."""

    __tablename__ = "known_contacts"
    __table_args__ = (
        Index(
            "known_contacts_condemned",
            "source_id",
            "condemned_in",
            sqlite_where=CONDEMNED,
            postgresql_where=CONDEMNED,
        ),
    )

    source_id: str = Field(primary_key=True)
    external_id: str = Field(primary_key=True)
    fingerprint: bytes = Field(sa_type=LargeBinary)
    seen_in: int
    condemned_in: int | None = None
