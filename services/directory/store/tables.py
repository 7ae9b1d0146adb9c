"""The tables of the book. Times are microseconds since the epoch, UTC; lists are JSON."""

from sqlalchemy import BigInteger, Text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel


class DirectoryTable(SQLModel, registry=registry()):
    """Keeps these tables apart from those of another service in the same interpreter."""


class ContactRow(DirectoryTable, table=True):
    """A contact, or what is left of one: id, times and nothing personal. The order of ids is that of creation."""

    __tablename__ = "contacts"
    __table_args__ = {"sqlite_with_rowid": False}

    workspace_id: str = Field(primary_key=True, sa_type=Text)
    contact_id: str = Field(primary_key=True, sa_type=Text)
    version: int
    created_at: int = Field(sa_type=BigInteger)
    changed_at: int = Field(sa_type=BigInteger)
    deleted_at: int | None = Field(default=None, sa_type=BigInteger)
    phone: str = Field(sa_type=Text)
    first_name: str = Field(sa_type=Text)
    last_name: str = Field(sa_type=Text)
    company: str = Field(sa_type=Text)
    contact_type: int
    search_key: str = Field(sa_type=Text)
    document: str = Field(sa_type=Text)
    """Phones, e-mails, external ids and tags, those that there are."""
    additional_fields: str = Field(sa_type=Text)
    number: int = Field(sa_type=BigInteger)


class IdentityRow(DirectoryTable, table=True):
    """By what live contacts are found. One index serves every look-up: it is the table itself."""

    __tablename__ = "contact_identities"
    __table_args__ = {"sqlite_with_rowid": False}

    workspace_id: str = Field(primary_key=True, sa_type=Text)
    identity: str = Field(primary_key=True, sa_type=Text)
    rank: int = Field(primary_key=True)
    """0: the owner, at most one; 1: shares the identity. So a look-up reads one row, however many share it."""
    contact_id: str = Field(primary_key=True, sa_type=Text)


class AppliedDeliveryRow(DirectoryTable, table=True):
    """What became of a delivery, for when it is sent again."""

    __tablename__ = "applied_deliveries"

    delivery_id: str = Field(primary_key=True, sa_type=Text)
    applied_at: int = Field(sa_type=BigInteger, index=True)
    states: bytes
    failures: str = Field(sa_type=Text)


class IdentityLockRow(DirectoryTable, table=True):
    """A share of all identities, which a unit locks before it looks them up; the migration makes all of them."""

    __tablename__ = "identity_locks"

    bucket: int = Field(primary_key=True)


class ContactCountRow(DirectoryTable, table=True):
    """Live contacts, counted in shards so that parallel units do not wait for each other."""

    __tablename__ = "contact_counts"

    workspace_id: str = Field(primary_key=True, sa_type=Text)
    shard: int = Field(primary_key=True)
    live: int = Field(sa_type=BigInteger)


class WorkspaceRow(DirectoryTable, table=True):
    """A workspace as a document; an empty one stands for the first workspace as nobody has changed it yet."""

    __tablename__ = "workspaces"

    workspace_id: str = Field(primary_key=True, sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)
    document: str = Field(sa_type=Text)


class TurnRow(DirectoryTable, table=True):
    """Who writes contacts of a workspace locks its row, so that times and numbers rise in the order of commits."""

    __tablename__ = "workspace_turns"

    workspace_id: str = Field(primary_key=True, sa_type=Text)
    version: int
    next_number: int = Field(sa_type=BigInteger)
    last_at: int = Field(sa_type=BigInteger)
    unindexed: int
    """1: contacts came before there were postings; they are indexed before the service serves."""


class PostingRow(DirectoryTable, table=True):
    """The contacts that hold a term, in blocks of 4096 numbers: 16-bit little-endian places in the block, unsorted."""

    __tablename__ = "lead_postings"
    __table_args__ = {"sqlite_with_rowid": False}

    term: int = Field(primary_key=True, sa_type=BigInteger)
    block: int = Field(primary_key=True)
    size: int
    places: bytes


class UnletteredRow(DirectoryTable, table=True):
    """Contacts whose names and e-mails are not in the postings of letters yet."""

    __tablename__ = "lead_unlettered"
    __table_args__ = {"sqlite_with_rowid": False}

    workspace_id: str = Field(primary_key=True, sa_type=Text)
    contact_id: str = Field(primary_key=True, sa_type=Text)


class PastChangeRow(DirectoryTable, table=True):
    """When a contact had last changed until it changed again: walks that began before go by it."""

    __tablename__ = "past_changes"
    __table_args__ = {"sqlite_with_rowid": False}

    workspace_id: str = Field(primary_key=True, sa_type=Text)
    until_at: int = Field(primary_key=True, sa_type=BigInteger)
    contact_id: str = Field(primary_key=True, sa_type=Text)
    changed_at: int = Field(sa_type=BigInteger)


class WalkRow(DirectoryTable, table=True):
    """The moment that a walk through many pages shows."""

    __tablename__ = "walks"

    workspace_id: str = Field(primary_key=True, sa_type=Text)
    walk: str = Field(primary_key=True, sa_type=Text)
    as_of: int = Field(sa_type=BigInteger)


class MemberRow(DirectoryTable, table=True):
    """A member as a document; keys are folded."""

    __tablename__ = "members"

    workspace_id: str = Field(primary_key=True, sa_type=Text)
    email_key: str = Field(primary_key=True, sa_type=Text)
    name_key: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    seat: int
    document: str = Field(sa_type=Text)


class CredentialRow(DirectoryTable, table=True):
    """What opens a workspace: the digest of its text."""

    __tablename__ = "credentials"

    credential_id: str = Field(primary_key=True, sa_type=Text)
    workspace_id: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    user_key: str = Field(sa_type=Text)
    digest: bytes
    user_email: str = Field(sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)


class ActionRow(DirectoryTable, table=True):
    """An action of a lead; its fields or its payment are a document."""

    __tablename__ = "lead_actions"
    __table_args__ = {"sqlite_with_rowid": False}

    workspace_id: str = Field(primary_key=True, sa_type=Text)
    contact_id: str = Field(primary_key=True, sa_type=Text)
    action_id: str = Field(primary_key=True, sa_type=Text)
    type: str = Field(sa_type=Text)
    performed_by: str = Field(sa_type=Text)
    """Folded."""
    performed_by_id: str = Field(sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)
    changed_at: int = Field(sa_type=BigInteger)
    version: int
    document: str = Field(sa_type=Text)


class IntakeRow(DirectoryTable, table=True):
    """A lead that the Async API has accepted and that waits; gone when it is done."""

    __tablename__ = "intake"

    entry_id: str = Field(primary_key=True, sa_type=Text)
    workspace_id: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)
    received_at: int = Field(sa_type=BigInteger)
    due_at: int = Field(sa_type=BigInteger)
    correlation_id: str = Field(sa_type=Text)
    traceparent: str = Field(sa_type=Text)
    attempts: int
