"""The tables of access. Times are microseconds since the epoch, UTC; lists are JSON text; booleans are 0 or 1."""

from sqlalchemy import BigInteger, LargeBinary
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel


class AccessTable(SQLModel, registry=registry()):
    """Keeps these tables apart from those of another service in the same interpreter."""


class ClientRow(AccessTable, table=True):
    """A client and its settings in force."""

    __tablename__ = "clients"

    client_id: str = Field(primary_key=True)
    name: str
    enabled: int
    created_at: int = Field(sa_type=BigInteger)
    scopes: str
    default_region: str
    destination_ids: str
    duplicates: str
    rate: float
    allowed_networks: str
    hmac: int
    workspace_id: str = ""


class KeyRow(AccessTable, table=True):
    """What is kept of a key: its HMAC under the pepper, and the client's signing secret sealed for this key."""

    __tablename__ = "keys"

    key_id: str = Field(primary_key=True)
    client_id: str = Field(foreign_key="clients.client_id", index=True)
    digest: bytes = Field(sa_type=LargeBinary)
    sealed_secret: bytes | None = Field(default=None, sa_type=LargeBinary)
    created_at: int = Field(sa_type=BigInteger)
    expires_at: int | None = Field(default=None, sa_type=BigInteger)
    last_used_at: int | None = Field(default=None, sa_type=BigInteger)


class KeyProofRow(AccessTable, table=True):
    """A fingerprint of a key of the operator, so that another one in its place is noticed at start."""

    __tablename__ = "key_proofs"

    purpose: str = Field(primary_key=True)
    fingerprint: bytes = Field(sa_type=LargeBinary)
