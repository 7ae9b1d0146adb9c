"""The table of idempotency. Times are microseconds since the epoch, UTC."""

from sqlalchemy import BigInteger, LargeBinary, Text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel


class IdempotencyTable(SQLModel, registry=registry()):
    """Keeps this table apart from those of another service in the same interpreter."""


class KeyRow(IdempotencyTable, table=True):
    """A key; `status_code` and `body` are NULL while its request has no answer, `holder` where nobody is named."""

    __tablename__ = "keys"

    client_id: str = Field(primary_key=True, sa_type=Text)
    key: str = Field(primary_key=True, sa_type=Text)
    job_id: str = Field(sa_type=Text)
    body_hash: bytes = Field(sa_type=LargeBinary)
    fingerprint: bytes = Field(sa_type=LargeBinary)
    fence: int = Field(sa_type=BigInteger)
    lease_until: int = Field(sa_type=BigInteger)
    created_at: int = Field(sa_type=BigInteger)
    expires_at: int = Field(sa_type=BigInteger, index=True)
    accessed_at: int = Field(sa_type=BigInteger)
    access_count: int = Field(sa_type=BigInteger)
    status_code: int | None = Field(default=None)
    body: bytes | None = Field(default=None, sa_type=LargeBinary)
    holder: bytes | None = Field(default=None, sa_type=LargeBinary)
