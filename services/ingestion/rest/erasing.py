"""Erasures as the import API has them."""

from typing import Any

from services.ingestion.domain.client import Client
from services.ingestion.domain.erasure import Erasure, Stage
from services.ingestion.domain.errors import Invalid, TooLarge, Violation, timestamp
from services.ingestion.handler.erasing import AskedErasure
from services.ingestion.wire.contacts_json import encode
from services.ingestion.wire.json_text import parse

_LONGEST = {"phone": 256, "email": 320, "external_id": 256}
_LARGEST_BODY = 16 << 10


def read_asked(body: bytes, client: Client, *, everywhere: bool) -> AskedErasure:
    """Whom the body names. Raises Invalid and TooLarge."""
    if len(body) > _LARGEST_BODY:
        raise TooLarge(message="A body may have 16 KiB", fields={"limit": str(_LARGEST_BODY)})
    tree = parse(body).tree
    if not isinstance(tree, dict):
        raise Invalid(violations=[Violation("", "wrong_type", "The body must be an object")])
    if faults := [fault for name, value in tree.items() if (fault := _fault(name, value))]:
        raise Invalid(violations=faults)
    given = {name: tree.get(name, "").strip() for name in _LONGEST}
    if not any(given.values()):
        raise Invalid(violations=[Violation("", "empty", "Give a phone, an email or an external_id")])
    return AskedErasure(client=client, everywhere=everywhere, **given)


def _fault(name: str, value: Any) -> Violation | None:
    if name not in _LONGEST:
        return Violation("", "unknown_name", "The body has phone, email and external_id, and nothing else")
    if not isinstance(value, str):
        return Violation(f"/{name}", "wrong_type", f"{name} must be a string")
    if len(value) > _LONGEST[name]:
        return Violation(f"/{name}", "too_long", f"{name} may have {_LONGEST[name]} characters")
    return None


def erasure_body(erasure: Erasure) -> bytes:
    """The erasure: counts and times, and nothing of the person."""
    return encode(
        {
            "erasure_id": erasure.erasure_id,
            "status": "completed" if erasure.stage is Stage.COMPLETED else "pending",
            "jobs": erasure.jobs,
            "rows": erasure.rows,
            "book_contacts": erasure.book_contacts,
            "created_at": timestamp(erasure.created_at),
            "completed_at": timestamp(erasure.completed_at) if erasure.completed_at else None,
        }
    )
