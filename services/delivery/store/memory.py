"""The ledger in memory: for tests, and for a hub that need not remember."""

import asyncio
from bisect import insort
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from msgspec import structs
from typing_extensions import override

from services.delivery.domain.delivery import Attempt, ChunkId, Delivery, DeliveryKey, DeliveryState
from services.delivery.domain.destination import Destination, DestinationId
from services.delivery.domain.watch import COUNTED, Late
from services.delivery.ports import Attempts, Backlog, Destinations, Ledger, PauseSwitch, Waiting
from services.delivery.ports.operating import Errors, Haste, Register
from services.delivery.store.memory_operating import MemoryDeadLetters


class MemoryLedger(Ledger, Backlog, Attempts, Errors, Haste):
    """Deliveries and their tries."""

    def __init__(self, dead_letters: MemoryDeadLetters | None = None) -> None:
        """`dead_letters` is kept in step. None: its own."""
        self.dead_letters = dead_letters or MemoryDeadLetters()
        self._deliveries: dict[DeliveryKey, Delivery] = {}
        self._attempts: dict[DeliveryKey, list[Attempt]] = {}

    @override
    async def find(self, keys: Sequence[DeliveryKey]) -> Mapping[DeliveryKey, Delivery]:
        await asyncio.sleep(0)
        return {key: self._deliveries[key] for key in keys if key in self._deliveries}

    @override
    async def claim(self, delivery: Delivery, *, now: datetime) -> bool:
        await asyncio.sleep(0)
        known = self._deliveries.get(delivery.ref.key)
        if known is not None and not (known.state is DeliveryState.WAITING and known.is_due(now)):
            return False
        if known is not None and (known.attempt_count != delivery.attempt_count or known.fence >= delivery.fence):
            return False
        created_at = delivery.created_at if known is None else known.created_at
        self._deliveries[delivery.ref.key] = structs.replace(delivery, created_at=created_at)
        return True

    @override
    async def record(self, delivery: Delivery, attempt: Attempt | None = None) -> bool:
        await asyncio.sleep(0)
        key = delivery.ref.key
        known = self._deliveries.get(key)
        if known is not None and (known.is_final or known.attempt_count >= delivery.attempt_count):
            return False
        if known is not None and known.fence != delivery.fence:
            return False
        self._deliveries[key] = delivery if known is None else structs.replace(delivery, created_at=known.created_at)
        if attempt is not None:
            insort(self._attempts.setdefault(key, []), attempt, key=lambda each: each.number)
        self.dead_letters.bury(self._deliveries[key])
        return True

    @override
    async def exchange(self, known: Delivery, delivery: Delivery) -> bool:
        await asyncio.sleep(0)
        there = self._deliveries.get(delivery.ref.key)
        if there is None or there.state is not DeliveryState.WAITING:
            return False
        if (there.attempt_count, there.due_at) != (known.attempt_count, known.due_at):
            return False
        self._deliveries[delivery.ref.key] = structs.replace(delivery, created_at=there.created_at)
        return True

    @override
    async def due(self, destination_id: DestinationId, *, now: datetime, limit: int) -> Sequence[Delivery]:
        due = [each for each in self._open(destination_id) if each.is_due(now)]
        return due[:limit]

    @override
    async def next_due(self, destination_id: DestinationId) -> datetime | None:
        return next((each.due_at for each in self._open(destination_id)), None)

    @override
    async def page(self, destination_id: DestinationId, *, after: Delivery | None, limit: int) -> Sequence[Delivery]:
        found = sorted(self._open(destination_id), key=_place)
        return [each for each in found if after is None or _place(each) > _place(after)][:limit]

    @override
    async def late(self, destination_id: DestinationId, *, due: datetime, came: datetime) -> Late:
        late = [each for each in self._open(destination_id) if each.is_due(due)][:COUNTED]
        never_tried = sum(not each.attempt_count and each.created_at <= came for each in late)
        return Late(count=len(late), never_tried=never_tried, oldest_due_at=late[0].due_at if late else None)

    @override
    async def waiting(self, destination_id: DestinationId) -> Waiting:
        came = [each.created_at for each in self._open(destination_id)]
        return Waiting(count=len(came), oldest_at=min(came, default=None))

    @override
    async def attempts(self, chunk_id: ChunkId, destination_id: DestinationId) -> Sequence[Attempt] | None:
        keys = [key for key in self._deliveries if (key.chunk_id, key.destination_id) == (chunk_id, destination_id)]
        if not keys:
            return None
        keys.sort(key=lambda key: key.round)
        return [attempt for key in keys for attempt in self._attempts.get(key, [])]

    @override
    async def attempts_of(self, chunk_ids: Sequence[ChunkId], *, limit: int) -> Sequence[Attempt]:
        found = [each for key in self._attempts if key.chunk_id in chunk_ids for each in self._attempts[key]]
        found.sort(key=lambda each: (each.started_at, each.number))
        return [replace(each, answer="") for each in found[-limit:]]

    @override
    async def last_errors(self, destination_id: DestinationId, *, limit: int) -> Sequence[Attempt]:
        tries = [attempt for key in self._attempts for attempt in self._attempts[key]]
        failed = [each for each in tries if each.key.destination_id == destination_id and each.message]
        return sorted(failed, key=lambda each: each.started_at, reverse=True)[:limit]

    @override
    async def hasten(self, destination_id: DestinationId, *, now: datetime) -> int:
        later = [each for each in self._open(destination_id) if each.state is DeliveryState.WAITING]
        later = [each for each in later if not each.is_due(now)]
        for each in later:
            self._deliveries[each.ref.key] = structs.replace(each, due_at=now)
        return len(later)

    @override
    async def forget_answers(self, *, before: datetime) -> int:
        count = 0
        for tries in self._attempts.values():
            for at, attempt in enumerate(tries):
                if attempt.answer and attempt.started_at < before:
                    tries[at] = replace(attempt, answer="")
                    count += 1
        return count

    @override
    async def forget_answers_of(self, chunk_ids: Sequence[ChunkId]) -> None:
        for key in self._attempts:
            if key.chunk_id in chunk_ids:
                self._attempts[key] = [replace(each, answer="") for each in self._attempts[key]]

    def _open(self, destination_id: DestinationId) -> list[Delivery]:
        found = [
            (each.due_at, each)
            for each in self._deliveries.values()
            if each.ref.key.destination_id == destination_id and each.due_at is not None
        ]
        return [each for _, each in sorted(found, key=lambda pair: pair[0])]


def _place(delivery: Delivery) -> tuple[datetime | None, str, int]:
    return delivery.due_at, delivery.ref.key.chunk_id, delivery.ref.key.round


class MemoryDestinations(Destinations, PauseSwitch, Register):
    """The destinations."""

    def __init__(self) -> None:
        self._destinations: dict[DestinationId, Destination] = {}

    @override
    async def find(self, destination_id: DestinationId) -> Destination | None:
        return self._destinations.get(destination_id)

    @override
    async def list(self) -> Sequence[Destination]:
        return sorted(self._destinations.values(), key=lambda each: (each.name, each.destination_id))

    @override
    async def put(self, destination: Destination) -> bool:
        return self._destinations.setdefault(destination.destination_id, destination) is destination

    @override
    async def set_paused(self, destination_id: DestinationId, *, paused: bool, reason: str = "") -> Destination | None:
        why = reason if paused else ""

        def switch(known: Destination) -> Destination:
            resuming = known.resuming or (known.paused and not paused)
            return replace(known, paused=paused, pause_reason=why, resuming=resuming)

        return await self.change(destination_id, switch)

    @override
    async def resumed(self, destination_id: DestinationId) -> None:
        await self.change(destination_id, lambda known: replace(known, resuming=False))

    @override
    async def change(
        self, destination_id: DestinationId, change: Callable[[Destination], Destination]
    ) -> Destination | None:
        known = self._destinations.get(destination_id)
        if known is None:
            return None
        self._destinations[destination_id] = change(known)
        return self._destinations[destination_id]

    @override
    async def remove(self, destination_id: DestinationId) -> bool:
        return self._destinations.pop(destination_id, None) is not None
