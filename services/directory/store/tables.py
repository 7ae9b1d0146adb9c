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
