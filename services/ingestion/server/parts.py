"""An import that comes in parts."""

import asyncio
from collections.abc import AsyncIterator

from contactsync.contact.v1.contact_pb2 import Contact
from contactsync.ingestion.v1.ingestion_service_pb2 import ImportContactStreamRequest

from services.ingestion.domain.errors import Invalid, TooLarge, Violation, too_many_rows
from services.ingestion.domain.job import MAXIMUM_ROWS

MAXIMUM_BYTES = 8 << 20
_HEARD_WITHIN_S = 0.01
"""gRPC ends the messages of a call that broke off like those of a whole one; that it broke off is a cancellation, up to
2 ms later. A part of an import must not be taken for all of it, under a key that then refuses the whole."""


async def gathered(parts: AsyncIterator[ImportContactStreamRequest]) -> tuple[str, list[Contact]]:
    """The key and all contacts. Raises Invalid and TooLarge, the latter as soon as it is certain."""
    contacts: list[Contact] = []
    key, size, first = "", 0, True
    async for part in parts:
        if bool(part.idempotency_key) is not first:
            raise _key_fault()
        key, first = key or part.idempotency_key, False
        contacts.extend(part.contacts)
        size += part.ByteSize()
        _check_room(len(contacts), size)
    await asyncio.sleep(_HEARD_WITHIN_S)
    if not contacts:
        raise Invalid(violations=[Violation("/contacts", "empty", "The stream has no contact")])
    return key, contacts


def _check_room(rows: int, size: int) -> None:
    if rows > MAXIMUM_ROWS:
        raise too_many_rows(MAXIMUM_ROWS)
    if size > MAXIMUM_BYTES:
        raise TooLarge(message="An import may have 8 MiB; split it", fields={"limit": str(MAXIMUM_BYTES)})


def _key_fault() -> Invalid:
    message = "The first message of the stream has the key, and no other"
    return Invalid(violations=[Violation("/idempotency_key", "misplaced", message)])
