"""Bounds on what is sent at once."""

from asyncio import Semaphore
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.delivery.domain.destination import DestinationId


class Lanes:
    """At most `total` parcels under way, and at most `each` to one destination: a slow one cannot take every place.

    A destination's own bound is waited for first, so what waits for a slow destination holds no place of another.
    """

    def __init__(self, *, total: int = 64, each: int = 16) -> None:
        self._total = Semaphore(total)
        self._each = each
        self._lanes: dict[DestinationId, Semaphore] = {}

    @asynccontextmanager
    async def enter(self, destination_id: DestinationId) -> AsyncIterator[None]:
        """Hold a place while the block runs."""
        async with self._lane(destination_id), self._total:
            yield

    def _lane(self, destination_id: DestinationId) -> Semaphore:
        lane = self._lanes.get(destination_id)
        if lane is None:
            lane = self._lanes[destination_id] = Semaphore(self._each)
        return lane
