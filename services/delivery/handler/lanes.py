"""Bounds on what is sent at once."""

import asyncio
from asyncio import Semaphore
from collections import deque
from datetime import timedelta
from types import TracebackType

from services.delivery.domain.destination import Destination, DestinationId

PATIENCE = timedelta(seconds=1)
"""How long a delivery waits for a place before it waits on disk, and how long a send counts as quick."""

_CLOSE_BY = 0.001  # seconds: the loop's clock ticks no finer


class LanesClosedError(Exception):
    """Nothing is sent any more: the process is about to end."""


class NoPlaceError(Exception):
    """Every place of the destination was taken for as long as was waited."""


class _Lane:
    """The places of one destination, and who waits for one: until when, and told then whether there is one."""

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self.busy = 0
        self.waiting: deque[tuple[asyncio.Future[bool], float]] = deque()

    def give_back(self) -> None:
        """Hand a place on to who waits for it longest."""
        while self.waiting and self.busy <= self.bound:
            turn, _ = self.waiting.popleft()
            if not turn.done():
                turn.set_result(True)
                return
        self.busy -= 1

    def resize(self, bound: int) -> None:
        """Let more in at once, or fewer as soon as enough have left."""
        self.bound = bound
        while self.waiting and self.busy < bound:
            self.busy += 1
            self.give_back()

    def send_away(self, *, now: float) -> None:
        """Tell those whose patience is over that there is no place."""
        while self.waiting and self.waiting[0][1] <= now:
            turn, _ = self.waiting.popleft()
            if not turn.done():
                turn.set_result(False)


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
        lane = place.lane
        if lane.busy < lane.bound:
            lane.busy += 1
        else:
            await self._wait_for(lane)
        try:
            await self._total.acquire()
        except BaseException:
            lane.give_back()
            raise
        self._quick[place] = self._watch()
        if self.closed:
            self.leave(place)
            raise LanesClosedError

    async def _wait_for(self, lane: _Lane) -> None:
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        lane.waiting.append((turn, self._watch()))
        try:
            has_place = await turn
        except asyncio.CancelledError:
            if not turn.cancelled() and turn.result():
                lane.give_back()
            raise
        if not has_place:
            raise NoPlaceError

    def leave(self, place: "_Place") -> None:
        """Count one part less."""
        self._quick.pop(place, None)
        if place.is_slow:
            self._slow += 1
        else:
            self._total.release()
        place.lane.give_back()

    def _watch(self) -> float:
        """Return when patience is over, and see to it that somebody looks then: one timer for all."""
        loop = asyncio.get_running_loop()
        at = loop.time() + self.patience.total_seconds()
        if not self._is_watching:
            self._is_watching = True
            loop.call_at(at, self._look)
        return at

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time() + _CLOSE_BY
        for place in [place for place, slow_at in self._quick.items() if slow_at <= now]:
            del self._quick[place]
            if self._slow:  # else there are too many, and it keeps its place in all
                self._slow -= 1
                self._total.release()
                place.is_slow = True
        for lane in self._lanes.values():
            lane.send_away(now=now)
        following = [lane.waiting[0][1] for lane in self._lanes.values() if lane.waiting]
        following += list(self._quick.values())[:1]
        self._is_watching = bool(following)
        if following:
            loop.call_at(min(following), self._look)

    def _lane(self, destination: Destination) -> _Lane:
        lane = self._lanes.get(destination.destination_id)
        if lane is None:
            lane = self._lanes[destination.destination_id] = _Lane(destination.concurrency)
        elif lane.bound != destination.concurrency:
            lane.resize(destination.concurrency)
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
