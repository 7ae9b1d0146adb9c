"""Bounds on what is sent at once."""

from asyncio import Semaphore
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.delivery.domain.destination import DestinationId


class LanesClosedError(Exception):
    """Nothing is sent any more: the process is about to end."""


class Lanes:
    """At most `total` parcels under way, and at most `each` to one destination: a slow one cannot take every place.

    A destination's own bound is waited for first, so what waits for a slow destination holds no place of another.
    """

    def __init__(self, *, total: int = 64, each: int = 16) -> None:
        self._total = Semaphore(total)
        self._each = each
        self._lanes: dict[DestinationId, Semaphore] = {}
        self._closed = False

    def close(self) -> None:
        """Let nobody in any more; who is inside ends in peace."""
        self._closed = True

    @asynccontextmanager
    async def enter(self, destination_id: DestinationId) -> AsyncIterator[None]:
        """Hold a place while the block runs. Raises LanesClosedError, also in those who waited when it closed."""
        async with self._lane(destination_id), self._total:
            if self._closed:
                raise LanesClosedError
            yield

    def _lane(self, destination_id: DestinationId) -> Semaphore:
        lane = self._lanes.get(destination_id)
        if lane is None:
            lane = self._lanes[destination_id] = Semaphore(self._each)
        return lane
