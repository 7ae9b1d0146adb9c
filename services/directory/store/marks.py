"""Where pages of walks ended: the next page begins there, instead of counting all that come before it.

What a walk shows is settled, so a mark is right for ever; a page that nobody read the one before is counted to. Kept in
memory: after a restart, and on another replica, one page is.
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Place = TypeVar("Place")
_KEPT = 4096


class Marks(Generic[Place]):
    """The last places of pages, the latest 4096 of them. Pages are from 1."""

    def __init__(self) -> None:
        self._ends: OrderedDict[tuple[Hashable, int], Place] = OrderedDict()

    def before(self, walk: Hashable, page: int, *, start: Place) -> tuple[Place, int]:
        """Behind what to read, and how many pages to skip from there."""
        known = self._ends.get((walk, page - 1))
        return (start, page - 1) if known is None else (known, 0)

    def note(self, walk: Hashable, page: int, end: Place) -> None:
        """The page ends there, and is full."""
        self._ends[walk, page] = end
        self._ends.move_to_end((walk, page))
        if len(self._ends) > _KEPT:
            self._ends.popitem(last=False)
