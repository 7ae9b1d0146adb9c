"""A delivery is sent in parts, and a part that is refused is halved until the bad rows are found."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from services.delivery.domain.answer import Refused, blames_destination

NOT_OF_ROWS = frozenset({402, 404, 405, 406, 407, 411, 415, 417, 421, 426, 431, 451})
"""Refusals that say nothing of the rows: fewer of them would be refused as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How far delivery goes before it gives in."""

    probes: int = 64
    """Further requests that finding the bad rows of one delivery may cost. Then what is refused fails whole."""
    denials: int = 3
    """Answers about the destination itself (401, 403, 410), one after the other, that pause it."""
    failures: int = 10
    """Tries without a usable answer, one after the other, that open a destination's breaker."""


BOUNDS = Bounds()


def part_id(delivery_id: str, positions: Sequence[int]) -> str:
    """Return the id that the receiver sees: it names exactly these rows, ascending. Empty: all of the chunk.

    The same rows have the same id on every try. Others have another, so that an idempotent receiver takes no row for a
    repeat of one that it never got.
    """
    if not positions:
        return delivery_id
    digest = hashlib.sha256(",".join(map(str, positions)).encode()).digest()
    return f"{delivery_id}.{base64.b32encode(digest[:5]).decode().lower()}"


def speaks_of_rows(answer: Refused) -> bool:
    """Whether a part of these rows might be taken where all of them were refused for good."""
    is_of_rows = 400 <= answer.status < 500 and answer.status not in NOT_OF_ROWS
    return is_of_rows and not blames_destination(answer)
