"""Deliveries, from the ticket to the reported outcome."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from services.delivery.domain.delivery import (
    Attempt,
    Chunk,
    Delivery,
    DeliveryKey,
    Parcel,
    Ref,
    Step,
    claim,
    decide,
    fail,
    hold,
    lose,
    settle,
    spare,
)
from services.delivery.domain.destination import Destination, DestinationId
from services.delivery.handler.lanes import Lanes
from services.delivery.ports import Alarm, Backlog, Chance, Chunks, Clock, Destinations, Ledger, Outcomes, Sender

BATCH = 64
"""How many due deliveries of a destination are taken up together."""


class InterruptedDeliveriesError(Exception):
    """Some deliveries could not be brought to an end now: ask for all of them again. The first fault is the cause."""

    def __init__(self, *, count: int, of: int) -> None:
        super().__init__(f"{count} of {of} deliveries were interrupted")
        self.count = count
        self.of = of


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What deliveries are made with."""

    ledger: Ledger
    backlog: Backlog
    destinations: Destinations
    chunks: Chunks
    sender: Sender
    outcomes: Outcomes
    alarm: Alarm
    clock: Clock
    chance: Chance


class Deliverer:
    """Brings chunks to destinations: each effectively once where the receiver allows it, and none without a trace."""

    def __init__(self, surroundings: Surroundings, *, lanes: Lanes) -> None:
        self._world = surroundings
        self._lanes = lanes
        self._under_way: dict[DeliveryKey, asyncio.Future[None]] = {}

    async def deliver(self, refs: Sequence[Ref]) -> None:
        """Return when each is on disk as tried, waiting or final, and reported.

        A repeat of what is done changes nothing. What is under way here already is waited for and not begun again.
        Raises InterruptedDeliveriesError, or a lone delivery's own fault.
        """
        others = {ref.key: self._under_way[ref.key] for ref in refs if ref.key in self._under_way}
        mine = {ref.key: ref for ref in refs if ref.key not in others}
        ended = asyncio.get_running_loop().create_future()
        self._under_way.update(dict.fromkeys(mine, ended))
        try:
            await self._advance_all(list(mine.values()))
        finally:
            ended.set_result(None)
            for key in mine:
                del self._under_way[key]
        if others:
            await asyncio.wait(set(others.values()))

    async def close(self) -> None:
        """Begin nothing any more, and return when what was being sent is recorded. The rest is interrupted."""
        self._lanes.close()
        while self._under_way:
            await asyncio.wait(set(self._under_way.values()))

    async def due(self) -> Mapping[DestinationId, datetime]:
        """Tell which destinations have something to be acted on, and from when. Paused ones have nothing."""
        destinations = await self._world.destinations.list()
        open_ids = [each.destination_id for each in destinations if not each.paused]
        times = await asyncio.gather(*(self._world.backlog.next_due(each) for each in open_ids))
        return {each: at for each, at in zip(open_ids, times, strict=True) if at is not None}

    async def wake(self, destination_id: DestinationId) -> bool:
        """Act on up to `BATCH` due deliveries. False: none is due, or the destination is paused."""
        destination = await self._world.destinations.find(destination_id)
        if destination is None or destination.paused:
            return False
        now = self._world.clock.now()
        due = await self._world.backlog.due(destination_id, now=now, limit=BATCH)
        await self.deliver([delivery.ref for delivery in due])
        return bool(due)

    async def _advance_all(self, refs: Sequence[Ref]) -> None:
        if not refs:
            return
        known = await self._world.ledger.find([ref.key for ref in refs])
        if len(refs) == 1:
            await self._advance(refs[0], known.get(refs[0].key))
            return
        ends = await asyncio.gather(*(self._advance(ref, known.get(ref.key)) for ref in refs), return_exceptions=True)
        faults = [end for end in ends if end is not None]
        if faults:
            raise InterruptedDeliveriesError(count=len(faults), of=len(refs)) from faults[0]

    async def _advance(self, ref: Ref, known: Delivery | None) -> None:
        destination = await self._world.destinations.find(ref.key.destination_id)
        now = self._world.clock.now()
        delivery = known or hold(ref, now=now)
        match decide(known, destination, now=now):
            case Step.REPORT:
                await self._report(delivery)
            case Step.HOLD:
                await self._world.ledger.record(delivery)
            case Step.MISDIRECTED:
                await self._fail(delivery, "There is no destination with this id.")
            case Step.LOSE:
                size = len(delivery.states) or await self._size(delivery)
                await self._conclude(lose(delivery, size=size, now=now), started_at=now)
            case (Step.SEND | Step.CLAIM) as step:
                assert destination is not None
                await self._try(delivery, destination, claimed=step is Step.CLAIM)
            case unreachable:
                assert_never(unreachable)

    async def _try(self, delivery: Delivery, destination: Destination, *, claimed: bool) -> None:
        async with self._lanes.enter(destination.destination_id):
            tried = await self._try_now(delivery, destination, claimed=claimed)
        if tried is not None:
            settled, started_at = tried
            await self._conclude(settled, started_at=started_at)

    async def _try_now(
        self, delivery: Delivery, destination: Destination, *, claimed: bool
    ) -> tuple[Delivery, datetime] | None:
        """None: it is not ours to try now, and the ledger knows."""
        if await self._was_paused(destination.destination_id):
            await self._world.ledger.record(delivery)
            return None
        chunk = await self._world.chunks.fetch(delivery.ref.key.chunk_id)
        if chunk is None:
            now = self._world.clock.now()
            return fail(delivery, "The chunk is gone.", size=len(delivery.states), now=now), now
        left = spare(delivery, chunk) if chunk.erased else delivery
        if left is None:
            now = self._world.clock.now()
            return fail(delivery, "Every contact was erased.", size=chunk.size, now=now), now
        if claimed and not await self._claim(left, destination):
            return None
        return await self._send(left, destination, chunk)

    async def _was_paused(self, destination_id: DestinationId) -> bool:
        """While it waited for its place."""
        destination = await self._world.destinations.find(destination_id)
        return destination is not None and destination.paused

    async def _claim(self, delivery: Delivery, destination: Destination) -> bool:
        now = self._world.clock.now()
        return await self._world.ledger.claim(claim(delivery, destination, now=now), now=now)

    async def _send(self, delivery: Delivery, destination: Destination, chunk: Chunk) -> tuple[Delivery, datetime]:
        started_at = self._world.clock.now()
        parcel = Parcel(ref=delivery.ref, destination=destination, chunk=chunk, started_at=started_at)
        answer = await self._world.sender.send(parcel)
        now, chance = self._world.clock.now(), self._world.chance()
        settled = settle(delivery, answer, destination=destination, size=chunk.size, now=now, chance=chance)
        return settled, started_at

    async def _fail(self, delivery: Delivery, message: str) -> None:
        now = self._world.clock.now()
        size = len(delivery.states) or await self._size(delivery)
        await self._conclude(fail(delivery, message, size=size, now=now), started_at=now)

    async def _conclude(self, delivery: Delivery, *, started_at: datetime) -> None:
        """Commit, then tell. When another was quicker it also tells."""
        if not await self._world.ledger.record(delivery, _attempt(delivery, started_at=started_at)):
            return
        if delivery.due_at is not None:
            self._world.alarm.ring(delivery.ref.key.destination_id, at=delivery.due_at)
        await self._report(delivery)

    async def _report(self, delivery: Delivery) -> None:
        """Nothing is told of what was not tried, nor of a chunk that was gone before its rows were counted."""
        if delivery.attempt_count and delivery.states:
            await self._world.outcomes.report(delivery)

    async def _size(self, delivery: Delivery) -> int:
        chunk = await self._world.chunks.fetch(delivery.ref.key.chunk_id)
        return 0 if chunk is None else chunk.size


def _attempt(delivery: Delivery, *, started_at: datetime) -> Attempt:
    assert delivery.attempted_at is not None
    return Attempt(
        key=delivery.ref.key,
        number=delivery.attempt_count,
        started_at=started_at,
        duration=delivery.attempted_at - started_at,
        status=delivery.status,
        message=delivery.message,
    )
