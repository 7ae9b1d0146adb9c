"""From a body to all that one accepted request writes."""

import hashlib
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
import phonenumbers
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

CHUNK = 1000


class Contact(BaseModel):
    phone: str
    tags: list[str] = Field(default_factory=list)
    additionalFields: dict[str, Any] = Field(default_factory=dict)  # noqa: N815 - the name in the contract


_contacts = TypeAdapter(list[Contact])


class Refused(Exception):
    def __init__(self, status: int, error: str, message: str, **fields: Any) -> None:
        self.status = status
        self.content = {"error": error, "message": message, **fields}
        super().__init__(error)


@dataclass(frozen=True, slots=True)
class Row:
    index: int
    contact: Contact
    phone: str | None


def normalize(text: str, region: str = "RU") -> str | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if number.extension or not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def read_body(raw: bytes) -> tuple[list[Contact], bytes]:
    """The contacts and the fingerprint of the canonical JSON."""
    try:
        tree = orjson.loads(raw)
        contacts = _contacts.validate_python(tree if isinstance(tree, list) else [tree])
    except orjson.JSONDecodeError as error:
        raise Refused(400, "validation_error", "The body is not JSON", details=[str(error)]) from error
    except ValidationError as error:
        details = [
            {"pointer": "/" + "/".join(map(str, each["loc"])), "code": each["type"], "message": each["msg"]}
            for each in error.errors(include_url=False, include_context=False, include_input=False)[:100]
        ]
        raise Refused(400, "validation_error", "Request validation failed", details=details) from error
    if not contacts:
        raise Refused(400, "validation_error", "The array has no contact")
    return contacts, hashlib.sha256(orjson.dumps(tree, option=orjson.OPT_SORT_KEYS)).digest()


def normalize_all(contacts: Sequence[Contact]) -> list[Row]:
    return [Row(index, contact, normalize(contact.phone)) for index, contact in enumerate(contacts)]


@dataclass(frozen=True, slots=True)
class Accepted:
    """All that one accepted request writes."""

    key: dict[str, Any]
    job: dict[str, Any]
    rows: list[dict[str, Any]]
    chunks: list[dict[str, Any]]


def draft(key: str, fingerprint: bytes, correlation_id: str, rows: Sequence[Row]) -> Accepted:
    job_id, now = str(uuid.uuid4()), datetime.now(UTC).isoformat().replace("+00:00", "Z")
    valid = [row for row in rows if row.phone]
    if not valid:
        details = [
            {"pointer": f"/{row.index}/phone", "code": "invalid", "message": "Invalid phone number"} for row in rows
        ]
        raise Refused(400, "validation_error", "No contact is valid", details=details[:100], total_errors=len(details))
    parts = [valid[start : start + CHUNK] for start in range(0, len(valid), CHUNK)]
    answer = {
        "job_id": job_id,
        "correlation_id": correlation_id,
        "idempotency_status": "created",
        "status": "pending",
        "total_contacts": len(rows),
        "valid_contacts": len(valid),
        "invalid_contacts": len(rows) - len(valid),
        "chunks_count": len(parts),
        "created_at": now,
    }
    stored = {"key": key, "fingerprint": fingerprint, "job_id": job_id, "created_at": now, "body": orjson.dumps(answer)}
    job = {
        name: answer[name] for name in ("job_id", "correlation_id", "total_contacts", "valid_contacts", "created_at")
    }
    chunks = [draft_chunk(job_id, correlation_id, now, index, part) for index, part in enumerate(parts)]
    return Accepted(stored, job, [draft_row(job_id, row) for row in rows], chunks)


def draft_row(job_id: str, row: Row) -> dict[str, Any]:
    return {
        "job_id": job_id,
        "row": row.index,
        "original_phone": row.contact.phone,
        "phone": row.phone,
        "state": "pending" if row.phone else "rejected",
        "submitted": None if row.phone else orjson.dumps(row.contact.model_dump()),
    }


def draft_chunk(job_id: str, correlation_id: str, now: str, index: int, rows: Sequence[Row]) -> dict[str, Any]:
    body = {
        "id": f"{job_id}.{index}",
        "type": "contacts.upserted",
        "timestamp": now,
        "correlation_id": correlation_id,
        "contacts": [
            {"phone": row.phone, "tags": row.contact.tags, "additionalFields": row.contact.additionalFields}
            for row in rows
        ],
    }
    return {
        "job_id": job_id,
        "chunk_index": index,
        "first_row": rows[0].index,
        "last_row": rows[-1].index,
        "size": len(rows),
        "body": orjson.dumps(body),
        "due_at": time.time(),
    }
