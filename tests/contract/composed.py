"""Access, idempotency, ingestion and delivery as they are, over memory stores, with one clock that a test moves.

What the services say to each other goes through their own wire forms where they have one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.access.domain.client_settings import WantedSettings
from services.delivery.domain.delivery import Chunk, ChunkId, Delivery, DeliveryKey, Ref
from services.delivery.domain.destination import DestinationId
from services.delivery.peers.outcomes import write_outcome
from services.delivery.store.memory import MemoryLedger
from services.idempotency import domain
from services.idempotency.handler import Idempotency
from services.idempotency.store.memory import MemoryKeys
from services.ingestion.domain import ids
from services.ingestion.domain.client import Client
from services.ingestion.domain.outcome import TicketRef
from services.ingestion.handler.importing import Answer
from services.ingestion.ports import peers
from services.ingestion.rest import answers
from services.ingestion.server.outcomes import outcomes_of
from tests.unit.access.worlds import World as AccessWorld
from tests.unit.delivery.world import HOOK, Receiver
from tests.unit.delivery.world import World as DeliveryWorld
from tests.unit.idempotency.world import LIMITS, RandomJobIds
from tests.unit.ingestion.world import World, client


class Crash(BaseException):
    """The process is gone at this point."""


@dataclass
class Moment:
    """The clock of idempotency and delivery: ingestion's."""

    world: World

    def now(self) -> datetime:
        return self.world.now


@dataclass
class Keys:
    """Idempotency as ingestion asks it. `crash` names the step behind which the process is gone."""

    idempotency: Idempotency
    crash: str = ""

    async def begin(self, key: peers.Key, fingerprint: peers.Fingerprint) -> peers.Begun:
        asked = domain.Request(_key(key), fingerprint.body, fingerprint.canonical)
        [result] = await self.idempotency.begin([asked])
        if isinstance(result, domain.Replay):
            return peers.Replay(result.answer.status_code, result.answer.body, ids.JobId(result.job_id))
        if isinstance(result, domain.Conflict):
            return peers.Conflict(result.existing_created_at)
        if isinstance(result, domain.InProgress):
            return peers.InProgress(result.lease_until)
        self._die("begun")
        return peers.Started(ids.JobId(result.job_id), result.fence)

    async def complete(self, key: peers.Key, held: peers.Started, *, status: int, body: bytes) -> None:
        self._die("stored")
        done = domain.Completion(_key(key), domain.Fence(held.fence), domain.Answer(status, body))
        await self.idempotency.complete([done])
        self._die("completed")

    async def release(self, key: peers.Key, held: peers.Started) -> None:
        await self.idempotency.release([domain.Release(_key(key), domain.Fence(held.fence))])

    def _die(self, step: str) -> None:
        if self.crash == step:
            raise Crash


def _key(key: peers.Key) -> domain.Key:
    return domain.Key(domain.ClientId(key.client_id), key.key)


@dataclass
class Chunks:
    """Ingestion's chunks as delivery fetches them."""

    world: World

    async def fetch(self, chunk_id: ChunkId) -> Chunk | None:
        [kept] = await self.world.delivery.fetch([ids.ChunkId(chunk_id)])
        if kept is None:
            return None
        return Chunk(
            chunk_id=chunk_id,
            client_id=kept.client_id,
            size=kept.size,
            contacts=kept.body,
            created_at=kept.created_at,
        )


@dataclass
class Outcomes:
    """Ingestion as delivery reports to it. `down`: nobody answers."""

    world: World
    down: bool = False

    async def report(self, delivered: Delivery) -> None:
        if self.down:
            raise ConnectionError
        await self.world.tell(*outcomes_of([write_outcome(delivered)]))


@dataclass
class Composed:
    """The hub in one process; where processes would crash, a method raises Crash."""

    ingestion: World = field(default_factory=World)
    access: AccessWorld = field(default_factory=AccessWorld)
    receiver: Receiver = field(default_factory=Receiver)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)

    def __post_init__(self) -> None:
        records = MemoryKeys()
        clock = Moment(self.ingestion)
        self.idempotency = Idempotency(records, records, clock=clock, job_ids=RandomJobIds(), limits=LIMITS)
        self.keys = Keys(self.idempotency)
        self.ingestion.imports._keys = self.keys
        self.outcomes = Outcomes(self.ingestion)
        self.office = self.access.access()
        self.delivery = DeliveryWorld(ledger=self.ledger, receiver=self.receiver)
        surroundings = self.delivery.deliverer._world
        for name, value in (("chunks", Chunks(self.ingestion)), ("outcomes", self.outcomes), ("clock", clock)):
            object.__setattr__(surroundings, name, value)
        self.later(timedelta(0))

    def later(self, by: timedelta) -> None:
        self.ingestion.later(by.total_seconds())
        self.access.clock.moment = self.ingestion.now

    async def open(self) -> None:
        """Makes the one destination."""
        await self.delivery.hook()

    async def make_client(self) -> tuple[str, str]:
        """Its id and its first key."""
        wanted = WantedSettings(destination_ids=[HOOK])
        made = await self.office.create(name="shop", settings=wanted)
        return made.client.client_id, made.api_key

    async def caller(self, api_key: str) -> Client | None:
        """Who the key belongs to."""
        [found] = await self.office.authenticate([api_key])
        return None if found is None else client(found.client.client_id, destinations=[HOOK])

    async def post(self, by: Client, body: bytes, *, key: str) -> Answer:
        return await self.ingestion.accept(body, key=key, by=by)

    async def show(self, viewer: Client, job_id: str) -> bytes:
        """The job as the client sees it."""
        return answers.job_body(await self.ingestion.follow.get(ids.JobId(job_id), viewer=viewer.client_id))

    async def deliver(self, ticket: TicketRef) -> None:
        key = DeliveryKey(ChunkId(ticket.chunk_id), DestinationId(ticket.destination_id), ticket.round)
        await self.delivery.deliverer.deliver([Ref(key, positions=tuple(ticket.positions))])

    def tickets(self) -> Sequence[TicketRef]:
        """Every ticket ever announced: the bus may give any of them again."""
        return self.ingestion.heard.tickets
