"""Bounds on what is sent at once."""

import asyncio
from asyncio import Semaphore
from datetime import timedelta
from types import TracebackType

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
        self._quick: dict[_Place, float] = {}
        """What may still turn slow, and when; the oldest first."""
        self._is_watching = False
        self.closed = False
        """The process is about to end: who is inside goes on with nothing new."""

    def close(self) -> None:
        """Let nobody in any more; who is inside ends in peace."""
        self.closed = True

    def free(self, destination: Destination) -> int:
        """Tell how many places the destination has left."""
        lane = self._lane(destination)
        return max(lane.bound - lane.busy, 0)

    def enter(self, destination: Destination) -> "_Place":
        """Hold a place while the block runs.

        Raises NoPlaceError after `patience`, and LanesClosedError, also in those who waited when it closed.
        """
        return _Place(self, self._lane(destination))

    async def take(self, place: "_Place") -> None:
        """Wait for a place of the destination, and then for one in all."""
        await self._take(place.lane)
        place.lane.busy += 1
        try:
            await self._total.acquire()
        except BaseException:
            self._give_back(place.lane)
            raise
        self._watch(place)
        if self.closed:
            self.leave(place)
            raise LanesClosedError

    async def _take(self, lane: _Lane) -> None:
        if not lane.places.locked():
            await lane.places.acquire()
            return
        try:
            async with asyncio.timeout(self.patience.total_seconds()):
                await lane.places.acquire()
        except TimeoutError:
            raise NoPlaceError from None

    def leave(self, place: "_Place") -> None:
        """Count one part less."""
        self._quick.pop(place, None)
        if place.is_slow:
            self._slow += 1
        else:
            self._total.release()
        self._give_back(place.lane)

    @staticmethod
    def _give_back(lane: _Lane) -> None:
        lane.busy -= 1
        lane.places.release()

    def _watch(self, place: "_Place") -> None:
        """One timer for all: it goes off when the oldest turns slow, if that is still under way."""
        loop = asyncio.get_running_loop()
        self._quick[place] = loop.time() + self.patience.total_seconds()
        if not self._is_watching:
            self._is_watching = True
            loop.call_at(self._quick[place], self._look)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        for place, slow_at in list(self._quick.items()):
            if slow_at > loop.time():
                loop.call_at(slow_at, self._look)
                return
            del self._quick[place]
            if self._slow:  # else there are too many, and it keeps its place in all
                self._slow -= 1
                self._total.release()
                place.is_slow = True
        self._is_watching = False

    def _lane(self, destination: Destination) -> _Lane:
        """Accepted edge: while a bound is being changed, what was let in under the old one counts apart."""
        lane = self._lanes.get(destination.destination_id)
        if lane is None or lane.bound != destination.concurrency:
            lane = self._lanes[destination.destination_id] = _Lane(destination.concurrency)
        return lane


class _Place:
    """A place of a destination, and one in all until its part turns out to be slow."""

    __slots__ = ("_lanes", "is_slow", "lane")

    def __init__(self, lanes: Lanes, lane: _Lane) -> None:
        self._lanes = lanes
        self.lane = lane
        self.is_slow = False

    async def __aenter__(self) -> None:
        await self._lanes.take(self)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._lanes.leave(self)
