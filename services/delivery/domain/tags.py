"""Which contacts a destination takes, by their tags."""

import json
from dataclasses import dataclass

FILTERED = "not sent: filtered by tags"
"""The reason that a row has which its destination does not take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TagFilter:
    """A contact passes with at least one of `any_of` (empty: whatever it has) and with none of `none_of`.

    Tags are compared as they are. A deletion always passes: what a destination may hold it must be able to lose.
    """

    any_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether it holds anything back."""
        return bool(self.any_of or self.none_of)

    def passes(self, tags: frozenset[str]) -> bool:
        """Decide for a contact with these tags."""
        return (not self.any_of or not tags.isdisjoint(self.any_of)) and tags.isdisjoint(self.none_of)


EVERYONE = TagFilter()


def wanted(contacts: bytes, tags: TagFilter) -> tuple[int, ...]:
    """Give the positions, ascending, of the contacts in a chunk's JSON that pass."""
    rows = json.loads(contacts)
    return tuple(
        at
        for at, row in enumerate(rows)
        if not tags or row.get("deleted") is True or tags.passes(frozenset(row.get("tags") or ()))
    )
