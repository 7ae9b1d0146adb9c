"""The body of POST /v1/contacts/import: one contact object or an array of them."""

import asyncio
import hashlib
from dataclasses import dataclass
from typing import Any

from services.ingestion.domain.errors import Invalid, TooLarge, Violation, too_many_rows
from services.ingestion.domain.job import MAXIMUM_ROWS
from services.ingestion.ports.peers import Fingerprint
from services.ingestion.rest.rows import RestRows, rest_rows
from services.ingestion.wire.json_text import canonical_of, tree_of

MAXIMUM_BYTES = 8 << 20
LARGE_BYTES = 64 << 10
"""Larger ones are read in steps."""


@dataclass(frozen=True, slots=True)
class Body:
    """A body of the right shape."""

    rows: RestRows
    fingerprint: Fingerprint


async def decode(body: bytes) -> Body:
    """Reads a body, a large one in slices. Raises Invalid and TooLarge."""
    if len(body) > MAXIMUM_BYTES:
        raise TooLarge(message="A body may have 8 MiB; split the import", fields={"limit": str(MAXIMUM_BYTES)})
    tree = tree_of(body)
    _check_length(tree)
    await _let_others_go_on(body)
    canonical = canonical_of(body, tree)
    await _let_others_go_on(body)
    rows = rest_rows(body, tree)
    del tree
    await _let_others_go_on(body)
    return Body(rows, Fingerprint(hashlib.sha256(body).digest(), hashlib.sha256(canonical).digest()))


def _check_length(tree: Any) -> None:
    if isinstance(tree, dict):
        return
    if not isinstance(tree, list):
        raise Invalid(violations=[Violation("", "wrong_type", "The body must be a contact object or an array of them")])
    if not tree:
        raise Invalid(violations=[Violation("", "empty", "The array has no contact")])
    if len(tree) > MAXIMUM_ROWS:
        raise too_many_rows(MAXIMUM_ROWS)


async def _let_others_go_on(body: bytes) -> None:
    if len(body) > LARGE_BYTES:
        await asyncio.sleep(0)
