"""Of several versions of a contact that wait for one destination, only the newest is sent when it goes on."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from services.delivery.domain.answer import RowFailure
from services.delivery.domain.delivery import Chunk, Delivery, DeliveryState, RowState
from services.delivery.domain.destination import Destination
from services.delivery.domain.settling import conclude, open_up

SUPERSEDED = "superseded by a newer version"
"""The reason that a row has which was not sent because a newer one was."""
END = 1 << 128
"""Behind the last fingerprint."""

_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A row that waits. `fingerprint` is of the contact's identity, below END; a greater `age` is newer."""

    position: int
    fingerprint: int
    age: int


def versions(delivery: Delivery, chunk: Chunk, destination: Destination) -> Iterator[Version]:
    """Give the rows of a delivery that wait, by position. Those without an identity are left out: nothing is like them.

    The age is that of the chunk: when it was accepted, its place in the job, and the row's place in it.
    """
    opened = open_up(delivery, chunk, destination)
    born = _born(delivery, chunk)
    for position, row in enumerate(json.loads(chunk.contacts)):
        if position < len(opened.states) and opened.states[position] == RowState.PENDING:
            fingerprint = _fingerprint(row, chunk)
            if fingerprint is not None:
                yield Version(position=position, fingerprint=fingerprint, age=born << 12 | position)


def supersede(
    delivery: Delivery, chunk: Chunk, destination: Destination, newest: Mapping[int, int], *, now: datetime
) -> Delivery | None:
    """Return the delivery without the rows of which `newest` knows a newer version. None: it has none.

    What may have arrived, or is under way, stays as it is.
    """
    if delivery.state is not DeliveryState.WAITING or delivery.is_tainted:
        return None
    found = versions(delivery, chunk, destination)
    old = [each.position for each in found if newest.get(each.fingerprint, each.age) > each.age]
    return _without(open_up(delivery, chunk, destination), old, now=now) if old else None


def _without(opened: Delivery, old: list[int], *, now: datetime) -> Delivery:
    states = bytearray(opened.states)
    for position in old:
        states[position] = RowState.UNCHANGED
    reasons = tuple(RowFailure(position=position, reason=SUPERSEDED) for position in old)
    told = {*old}
    known = tuple(each for each in opened.failures if each.position not in told)
    left = replace(opened, states=bytes(states), failures=(*known, *reasons))
    # Counted like a try, so that whoever read the delivery before sees that it is another.
    return replace(left, attempt_count=left.attempt_count + 1) if left.pending else conclude(left, now=now)


def _born(delivery: Delivery, chunk: Chunk) -> int:
    """Microseconds since the epoch, then the chunk's number in its job."""
    at = (chunk.created_at or delivery.created_at) - _EPOCH
    micros = at.days * 86_400_000_000 + at.seconds * 1_000_000 + at.microseconds
    number = chunk.chunk_id.rpartition(".")[2]
    return micros << 28 | (int(number) if number.isdecimal() else 0)


def _fingerprint(row: Mapping[str, Any], chunk: Chunk) -> int | None:
    """Of the external id with its source, else of the phone, else of the first e-mail address."""
    emails = row.get("emails") or [{}]
    if external_id := row.get("external_id"):
        identity = ["id", chunk.source_id or f"client {chunk.client_id}", external_id]
    elif phone := row.get("phone"):
        identity = ["phone", phone]
    elif email := emails[0].get("email"):
        identity = ["email", email]
    else:
        return None
    text = json.dumps([chunk.workspace_id, *identity])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest())
