"""What a webhook gets: the body of services/README.md, built around the contacts' bytes without reading them."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import msgspec
import orjson

from services.delivery.domain.delivery import Parcel
from services.delivery.domain.destination import signing_key

UPSERTED = "contacts.upserted"
DELETED = "contacts.deleted"


class _Tombstone(msgspec.Struct, gc=False):
    deleted: bool = False


_rows = msgspec.json.Decoder(list[msgspec.Raw])
_tombstones = msgspec.json.Decoder(list[_Tombstone])


def build_body(parcel: Parcel, *, event: str = "") -> bytes:
    """Return the same bytes at every try of the same rows, as long as its chunk says when it came.

    `event` is the type. Empty: what the contacts say.
    """
    contacts = picked(parcel.chunk.contacts, parcel.ref.positions)
    head = orjson.dumps(
        {
            "id": parcel.part_id,
            "type": event or event_type(contacts),
            "timestamp": _rfc3339(parcel.chunk.created_at or parcel.started_at),
            "correlation_id": parcel.ref.correlation_id,
        }
    )
    return b"".join((head[:-1], b',"contacts":', contacts, b"}"))


def picked(contacts: bytes, positions: tuple[int, ...]) -> bytes:
    """Return the array of the contacts at the positions, or of all when there are none."""
    if not positions:
        return contacts
    rows = _rows.decode(contacts)
    return b"[" + b",".join(bytes(rows[position]) for position in positions) + b"]"


def event_type(contacts: bytes) -> str:
    """Tell deletions from the rest. Where a chunk has both, each deleted contact says so itself."""
    if b'"deleted"' not in contacts:
        return UPSERTED
    return DELETED if all(each.deleted for each in _tombstones.decode(contacts)) else UPSERTED


def sign(body: bytes, *, delivery_id: str, at: int, secret: str) -> str:
    """Return the `webhook-signature` of Standard Webhooks, version 1; `at` is in seconds since the epoch."""
    signed = b"".join((f"{delivery_id}.{at}.".encode(), body))
    return "v1," + base64.b64encode(hmac.digest(signing_key(secret), signed, hashlib.sha256)).decode()


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
