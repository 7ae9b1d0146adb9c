"""A world for the handler: memory store, a clock that is moved by hand, receivers that misbehave on request."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from services.delivery.domain.answer import Answer, Taken
from services.delivery.domain.delivery import Chunk, ChunkId, Delivery, DeliveryKey, Parcel, Ref
from services.delivery.domain.destination import Destination, DestinationId, DestinationKind, RetrySchedule, directory
from services.delivery.handler.deliver import Deliverer
from services.delivery.handler.errands import Surroundings
from services.delivery.handler.lanes import Lanes
from services.delivery.store.memory import MemoryDestinations, MemoryLedger

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOOK = DestinationId("dest-hook")


class Crash(BaseException):
    """The process is gone at this point."""


class HandClock:
    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time

    def advance(self, by: timedelta) -> None:
        self.time += by


class KeptChunks:
    def __init__(self) -> None:
        self.chunks: dict[str, Chunk] = {}
        self.down = False
        self.faults = 0

    def keep(self, chunk_id: str, *, size: int = 1, contacts: list[dict[str, Any]] | None = None) -> None:
        """Without contacts: some that no other chunk has."""
        rows = contacts or [{"external_id": f"{chunk_id}/{at}", "phone": "+79001234567"} for at in range(size)]
        self.chunks[chunk_id] = Chunk(
            chunk_id=ChunkId(chunk_id),
            client_id="default",
            size=len(rows),
            contacts=json.dumps(rows).encode(),
            created_at=NOW,
        )

    async def fetch(self, chunk_id: ChunkId) -> Chunk | None:
        await asyncio.sleep(0)
        if self.down:
            raise ConnectionError
        if self.faults:
            self.faults -= 1
            raise ConnectionError
        return self.chunks.get(chunk_id)


class Receiver:
    """Counts what came, and what of it had an effect on a receiver that takes a delivery id twice as once."""

    def __init__(self) -> None:
        self.answers: list[Answer | BaseException] = []
        self.parcels: list[Parcel] = []
        self.came = Counter[str]()
        self.before: Callable[[Parcel], Awaitable[None]] | None = None
        self.after: BaseException | None = None

    @property
    def effective(self) -> set[str]:
        return set(self.came)

    async def send(self, parcel: Parcel) -> Answer:
        if self.before is not None:
            await self.before(parcel)
        await asyncio.sleep(0)
        self.parcels.append(parcel)
        self.came[parcel.part_id] += 1
        if self.after is not None:
            raise self.after
        answer = self.answers.pop(0) if self.answers else Taken(states=b"\x02" * parcel.count)
        if isinstance(answer, BaseException):
            raise answer
        return answer


class Oracle:
    """Tells what became of lost answers; by itself it cannot."""

    def __init__(self) -> None:
        self.answers: list[Answer | None] = []
        self.asked: list[Parcel] = []

    async def look_up(self, parcel: Parcel) -> Answer | None:
        await asyncio.sleep(0)
        self.asked.append(parcel)
        return self.answers.pop(0) if self.answers else None


class Reports:
    def __init__(self) -> None:
        self.told: list[Delivery] = []
        self.fault: BaseException | None = None

    async def report(self, delivery: Delivery) -> None:
        await asyncio.sleep(0)
        if self.fault is not None:
            raise self.fault
        self.told.append(delivery)


class Rings:
    def __init__(self) -> None:
        self.rung: list[tuple[DestinationId, datetime]] = []

    def ring(self, destination_id: DestinationId, *, at: datetime) -> None:
        self.rung.append((destination_id, at))


@dataclass
class World:
    """One process on one ledger. `restarted()` is the next process on the same ledger."""

    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    destinations: MemoryDestinations = field(default_factory=MemoryDestinations)
    chunks: KeptChunks = field(default_factory=KeptChunks)
    receiver: Receiver = field(default_factory=Receiver)
    oracle: Oracle = field(default_factory=Oracle)
    reports: Reports = field(default_factory=Reports)
    rings: Rings = field(default_factory=Rings)
    clock: HandClock = field(default_factory=HandClock)
    chance: float = 0.5
    lanes: Lanes = field(default_factory=Lanes)

    def __post_init__(self) -> None:
        self.surroundings = Surroundings(
            ledger=self.ledger,
            backlog=self.ledger,
            destinations=self.destinations,
            chunks=self.chunks,
            switch=self.destinations,
            sender=self.receiver,
            lookup=self.oracle,
            outcomes=self.reports,
            alarm=self.rings,
            clock=self.clock,
            chance=lambda: self.chance,
        )
        self.deliverer = Deliverer(self.surroundings, lanes=self.lanes)

    async def pause(self, destination_id: DestinationId) -> None:
        await self.destinations.set_paused(destination_id, paused=True)

    async def resume(self, destination_id: DestinationId) -> None:
        await self.destinations.set_paused(destination_id, paused=False)
        self.rings.ring(destination_id, at=self.clock.now())

    def restarted(self) -> "World":
        self.receiver.after = self.reports.fault = None
        return replace(self)

    async def hook(
        self, *, idempotent: bool = True, retry: RetrySchedule | None = None, **settings: Any
    ) -> DestinationId:
        hook = Destination(
            destination_id=HOOK,
            name="hook",
            kind=DestinationKind.WEBHOOK,
            created_at=NOW,
            url="https://hook.example/",
            secrets=("whsec_" + "QUFB" * 8,),
            retry=retry or RetrySchedule(),
            idempotent=idempotent,
            **settings,
        )
        await self.destinations.put(hook)
        return HOOK

    async def book(self) -> DestinationId:
        await self.destinations.put(directory(now=NOW))
        return DestinationId("directory")

    async def state(self, ref: Ref) -> Delivery:
        return (await self.ledger.find([ref.key]))[ref.key]


def ref(chunk_id: str = "job.0", destination_id: str = HOOK, *, positions: Sequence[int] = (), number: int = 0) -> Ref:
    key = DeliveryKey(ChunkId(chunk_id), DestinationId(destination_id), number)
    return Ref(key, correlation_id="corr-1", traceparent="", positions=tuple(positions))
