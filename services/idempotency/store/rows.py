"""Records as rows of their table, and back."""

from libs.storage import Row, from_micros, to_micros
from services.idempotency.domain import Answer, ClientId, Fence, JobId, Key, Record

COLUMNS = (
    "client_id",
    "key",
    "job_id",
    "body_hash",
    "fingerprint",
    "fence",
    "lease_until",
    "created_at",
    "expires_at",
    "accessed_at",
    "access_count",
    "holder",
)


def row_of(record: Record) -> Row:
    """In the order of COLUMNS: the record without its answer."""
    return (
        record.key.client_id,
        record.key.text,
        record.job_id,
        record.body_hash,
        record.fingerprint,
        record.fence,
        to_micros(record.lease_until),
        to_micros(record.created_at),
        to_micros(record.expires_at),
        to_micros(record.accessed_at),
        record.access_count,
        record.holder,
    )


def record_of(row: Row) -> Record:
    """Of a row in the order of COLUMNS, then status_code and body."""
    status_code, body = row[12:]
    return Record(
        key=Key(ClientId(row[0]), row[1]),
        job_id=JobId(row[2]),
        body_hash=row[3],
        fingerprint=row[4],
        fence=Fence(row[5]),
        lease_until=from_micros(row[6]),
        created_at=from_micros(row[7]),
        expires_at=from_micros(row[8]),
        accessed_at=from_micros(row[9]),
        access_count=row[10],
        holder=row[11] or b"",
        answer=None if status_code is None else Answer(status_code, body),
    )
