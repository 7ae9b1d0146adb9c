"""Bounds on what is sent at once."""

import asyncio
from asyncio import Semaphore
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from services.delivery.domain.destination import Destination, DestinationId

PATIENCE = timedelta(seconds=1)
"""How long a delivery waits for a place before it waits on disk, and how long a send counts as quick."""


class LanesClosedError(Exception):
    """Nothing is sent any more: the process is about to end."""


class NoPlaceError(Exception):
    """Every place of the destination was taken for as long as was waited."""


class _Lane:
    """The places of one destination."""

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self.places = Semaphore(bound)
        self.busy = 0


class Lanes:
    """At most so many parts under way to one destination as it says, and at most `total` quick ones in all.

    A destination's own bound is waited for first, so what waits for a slow destination holds no place of another. A
    part that takes longer than `patience` gives its place in all back, and keeps that at its destination: however many
    destinations hang, the quick ones have all `total` places. `slow` bounds what hangs, and with it the memory.
    """

    def __init__(self, *, total: int = 64, slow: int = 512, patience: timedelta = PATIENCE) -> None:
        self._total = Semaphore(total)
        self._slow = slow
        self.patience = patience
        self._lanes: dict[DestinationId, _Lane] = {}
        self.closed = False
        """The process is about to end: who is inside goes on with nothing new."""

    def close(self) -> None:
        """Let nobody in any more; who is inside ends in peace."""
        self.closed = True

    def free(self, destination: Destination) -> int:
        """Tell how many places the destination has left."""
        lane = self._lane(destination)
        return max(lane.bound - lane.busy, 0)

    @asynccontextmanager
    async def enter(self, destination: Destination) -> AsyncIterator[None]:
        """Hold a place while the block runs.

        Raises NoPlaceError after `patience`, and LanesClosedError, also in those who waited when it closed.
        """
        lane = self._lane(destination)
        await self._take(lane)
        lane.busy += 1
        place: _Place | None = None
        try:
            await self._total.acquire()
            place = _Place(self, patience=self.patience)
            if self.closed:
                raise LanesClosedError
            yield
        finally:
            if place is not None:
                place.leave()
            lane.busy -= 1
            lane.places.release()

    async def _take(self, lane: _Lane) -> None:
        if not lane.places.locked():
            await lane.places.acquire()
            return
        try:
            async with asyncio.timeout(self.patience.total_seconds()):
                await lane.places.acquire()
        except TimeoutError:
            raise NoPlaceError from None

    def let_another_in(self) -> bool:
        """Count one more slow part, which leaves its place in all. False: there are too many."""
        if self._slow == 0:
            return False
        self._slow -= 1
        self._total.release()
        return True

    def leave(self, *, slow: bool) -> None:
        """Count one part less."""
        if slow:
            self._slow += 1
        else:
            self._total.release()

    def _lane(self, destination: Destination) -> _Lane:
        """Accepted edge: while a bound is being changed, what was let in under the old one counts apart."""
        lane = self._lanes.get(destination.destination_id)
        if lane is None or lane.bound != destination.concurrency:
            lane = self._lanes[destination.destination_id] = _Lane(destination.concurrency)
        return lane


class _Place:
    """A place in all, until its part turns out to be slow."""

    def __init__(self, lanes: Lanes, *, patience: timedelta) -> None:
        self._lanes = lanes
        self._is_slow = False
        self._patience = asyncio.get_running_loop().call_later(patience.total_seconds(), self._turn_slow)

    def _turn_slow(self) -> None:
        self._is_slow = self._lanes.let_another_in()

    def leave(self) -> None:
        self._patience.cancel()
        self._lanes.leave(slow=self._is_slow)
