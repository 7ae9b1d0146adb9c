"""Deliveries, from the ticket to the reported outcome."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import assert_never

import structlog

from services.delivery.domain.delivery import Delivery, DeliveryKey, Ref, Step, decide, hold, lease
from services.delivery.domain.destination import Destination, DestinationId
from services.delivery.domain.errors import DestinationNotFoundError
from services.delivery.domain.flow import DestinationHealth
from services.delivery.handler.collapsing import Collapser, Collapsing
from services.delivery.handler.errands import Errand, Surroundings
from services.delivery.handler.gates import Gates
from services.delivery.handler.lanes import Lanes
from services.delivery.handler.sending import Courier

BATCH = 64
"""How many due deliveries of a destination are taken up together, at most."""
PER_PLACE = 4
"""How many of them for each free place: some are over in no time, and no place is to stay empty."""

SHORTEST_REST = timedelta(milliseconds=100)
"""A paced backlog is looked at no more often: in between a few tokens gather."""

log = structlog.get_logger()


class InterruptedDeliveriesError(Exception):
    """Some deliveries could not be brought to an end now: ask for all of them again. The first fault is the cause."""

    def __init__(self, *, count: int, of: int) -> None:
        super().__init__(f"{count} of {of} deliveries were interrupted")
        self.count = count
        self.of = of


@dataclass(slots=True, eq=False)
class _UnderWay:
    """A delivery that this process works on."""

    task: asyncio.Task[None]
    errand: Errand | None = None
    """None: what it is about is not known yet, or there is nothing to send."""
    is_let_go: bool = False
    """Nobody waits for it any more: it is on disk."""


class Deliverer:
    """Brings chunks to destinations: each effectively once where the receiver allows it, and none without a trace."""

    def __init__(self, surroundings: Surroundings, *, lanes: Lanes, gates: Gates | None = None) -> None:
        self._world = surroundings
        self._lanes = lanes
        self._gates = gates or Gates(clock=surroundings.clock, bounds=surroundings.bounds)
        self._courier = Courier(surroundings, lanes=lanes, gates=self._gates)
        self._collapser = Collapser(
            Collapsing(
                ledger=surroundings.ledger,
                backlog=surroundings.backlog,
                chunks=surroundings.chunks,
                outcomes=surroundings.outcomes,
                clock=surroundings.clock,
            )
        )
        self._under_way: dict[DeliveryKey, _UnderWay] = {}

    async def deliver(self, refs: Sequence[Ref]) -> None:
        """Return when each is on disk as tried, waiting or final, and what was tried is reported.

        A repeat of what is done changes nothing. What is under way here already is not begun again. What takes long is
        put on disk, and goes on: a slow destination holds no ticket. Raises InterruptedDeliveriesError, or a lone
        delivery's own fault.
        """
        new = {ref.key: ref for ref in refs if ref.key not in self._under_way}
        if new:
            self._begin(new)
        awaited = [self._under_way[key] for key in {ref.key for ref in refs} if key in self._under_way]
        try:
            await self._await(awaited)
        except asyncio.CancelledError:
            for each in awaited:
                each.task.cancel()
            raise
        _raise_faults(awaited)

    async def close(self) -> None:
        """Begin nothing any more, and return when what was being sent is recorded. The rest is interrupted."""
        self._lanes.close()
        while self._under_way:
            await asyncio.wait({each.task for each in self._under_way.values()})

    async def abandon(self) -> None:
        """Cut off what is still under way. It comes again, by its ticket or when its lease ends."""
        tasks = [each.task for each in self._under_way.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def due(self) -> Mapping[DestinationId, datetime]:
        """Tell which destinations have something to be acted on, and from when. Paused ones have nothing."""
        open_ones = [each for each in await self._world.destinations.list() if not each.paused]
        times = await asyncio.gather(*(self._due_at(each) for each in open_ones))
        return {each.destination_id: at for each, at in zip(open_ones, times, strict=True) if at is not None}

    async def wake(self, destination_id: DestinationId) -> bool:
        """Act on some due deliveries. False: none is due, or the destination is not to be sent to now."""
        destination = await self._world.destinations.find(destination_id)
        if destination is not None and destination.resuming and not destination.paused:
            await self._go_on(destination)
            destination = await self._world.destinations.find(destination_id)
        if destination is None or destination.is_held:
            return False
        limit = self._limit(destination)
        if not limit:
            return False
        self._gates.catch_up(destination_id)
        now = self._world.clock.now()
        due = await self._world.backlog.due(destination_id, now=now, limit=limit)
        if len(due) == limit:
            self._gates.fall_behind(destination_id)
        await self.deliver([delivery.ref for delivery in due])
        return bool(due)

    async def health(self, destination_id: DestinationId) -> DestinationHealth:
        """Tell how a destination does, as this process sees it. Raises DestinationNotFoundError."""
        destination = await self._world.destinations.find(destination_id)
        if destination is None:
            raise DestinationNotFoundError
        return self._gates.health(destination)

    async def _go_on(self, destination: Destination) -> None:
        """First take out what is superseded: nothing is sent meanwhile, here or elsewhere."""
        await self._collapser.collapse(destination)
        await self._world.switch.resumed(destination.destination_id)

    async def _due_at(self, destination: Destination) -> datetime | None:
        """Not before its gate opens."""
        if destination.resuming:
            return self._world.clock.now()
        at = await self._world.backlog.next_due(destination.destination_id)
        opens_at = self._gates.opens_at(destination)
        if at is None or opens_at is None:
            return at
        return max(at, opens_at, self._world.clock.now() + SHORTEST_REST)

    def _limit(self, destination: Destination) -> int:
        """How many to take up now. Where no place is free, one waits for the next."""
        places = max(PER_PLACE * self._lanes.free(destination), 1)
        room = self._gates.room(destination)
        return min(BATCH, places) if room is None else min(BATCH, places, room)

    def _begin(self, refs: Mapping[DeliveryKey, Ref]) -> None:
        """Those that come together are looked up together."""
        known = asyncio.ensure_future(self._world.ledger.find(list(refs)))
        for key, ref in refs.items():
            under_way = _UnderWay(asyncio.create_task(self._advance(ref, known)))
            self._under_way[key] = under_way
            under_way.task.add_done_callback(partial(self._ended, key, under_way))

    def _ended(self, key: DeliveryKey, it: _UnderWay, _: "asyncio.Task[None]") -> None:
        del self._under_way[key]
        if it.is_let_go and not it.task.cancelled() and (fault := it.task.exception()):
            log.warning("delivery_interrupted", delivery_id=key.delivery_id, error=type(fault).__name__)

    async def _await(self, awaited: Sequence[_UnderWay]) -> None:
        """Until each has ended or is on disk."""
        patience = 2 * self._lanes.patience.total_seconds()
        pending = {each.task: each for each in awaited}
        while pending:
            ended, _ = await asyncio.wait(pending, timeout=patience)
            for task in ended:
                del pending[task]
            for each in list(pending.values()):
                if await self._let_go(each):
                    del pending[each.task]

    async def _let_go(self, it: _UnderWay) -> bool:
        """Leave one that is being sent to itself, once the ledger would have it taken up if this process died."""
        if it.errand is None or not it.errand.is_sending:
            return False
        if not it.errand.is_known:
            leased = lease(it.errand.delivery, it.errand.destination, now=self._world.clock.now())
            await self._world.ledger.record(leased)
            it.errand.is_known = True
        it.is_let_go = True
        return True

    async def _advance(self, ref: Ref, found: "asyncio.Future[Mapping[DeliveryKey, Delivery]]") -> None:
        known = (await asyncio.shield(found)).get(ref.key)
        destination = await self._world.destinations.find(ref.key.destination_id)
        now = self._world.clock.now()
        delivery = known or hold(ref, now=now)
        match decide(known, destination, now=now):
            case Step.REPORT:
                await self._courier.report(delivery)
            case Step.HOLD:
                await self._world.ledger.record(delivery)
            case Step.MISDIRECTED:
                await self._courier.give_up(delivery, "There is no destination with this id.")
            case Step.LOSE if destination is None:
                await self._courier.forget(delivery)
            case Step.LOSE:
                assert destination is not None
                await self._courier.find_out(Errand(delivery=delivery, destination=destination, is_known=True))
            case Step.SEND | Step.CLAIM:
                assert destination is not None
                errand = Errand(delivery=delivery, destination=destination, is_known=known is not None)
                self._under_way[ref.key].errand = errand
                await self._courier.carry(errand)
            case unreachable:
                assert_never(unreachable)


def _raise_faults(awaited: Iterable[_UnderWay]) -> None:
    """A fault of what was let go is of nobody's concern here."""
    ended = [each.task for each in awaited if not each.is_let_go]
    faults = [asyncio.CancelledError() if task.cancelled() else task.exception() for task in ended]
    first = next((fault for fault in faults if fault is not None), None)
    if first is None:
        return
    if len(ended) == 1:
        raise first
    raise InterruptedDeliveriesError(count=sum(fault is not None for fault in faults), of=len(ended)) from first
