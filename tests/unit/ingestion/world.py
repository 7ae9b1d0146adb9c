"""Ingestion put together on memory peers, with a clock that the test moves."""

import itertools
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from services.ingestion.domain.client import Client, Duplicates, Origin
from services.ingestion.domain.ids import ChunkId, ClientId, DestinationId, JobId
from services.ingestion.domain.outcome import Outcome, RowState, TicketRef
from services.ingestion.handler.activity import TellActivity
from services.ingestion.handler.delivering import RedeliverRows, RetryJobs, ServeDelivery
from services.ingestion.handler.following import FollowJobs
from services.ingestion.handler.importing import Answer, Import, ImportContacts
from services.ingestion.handler.looking import LookForJobs
from services.ingestion.peers.memory import MemoryKeys, MemoryNormalizer
from services.ingestion.publisher.changes import LocalChanges
from services.ingestion.rest import answers
from services.ingestion.rest.body import decode
from services.ingestion.store.memory import MemoryStore
from services.ingestion.store.sql import SqlStore
from services.ingestion.wire.contacts_json import phones_of

START = datetime(2026, 1, 15, 12, tzinfo=UTC)
PATIENCE = timedelta(seconds=30)
BOOK = DestinationId("directory")
ORIGIN = Origin("request-1", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")


def memory_store() -> MemoryStore:
    return MemoryStore(phones_of=phones_of, patience=PATIENCE)


def client(
    client_id: str = "shop", *, destinations: Sequence[str] = (BOOK,), duplicates: Duplicates = Duplicates.KEEP_ALL
) -> Client:
    return Client(
        client_id=ClientId(client_id),
        destination_ids=tuple(DestinationId(name) for name in destinations),
        duplicates=duplicates,
    )


def contact(number: int = 0, **members: Any) -> dict[str, Any]:
    return {"phone": f"8900{number:07d}", "tags": ["лид"], "additionalFields": {"n": number}, **members}


def contacts(count: int) -> list[dict[str, Any]]:
    return [contact(number) for number in range(count)]


class Heard:
    """An announcer that keeps what it was told."""

    def __init__(self) -> None:
        self.tickets: list[TicketRef] = []

    def announce(self, tickets: Sequence[TicketRef]) -> None:
        self.tickets += tickets


class World:
    def __init__(self, store: MemoryStore | SqlStore | None = None) -> None:
        self.now = START
        self.store = store or memory_store()
        self.heard = Heard()
        self.keys = MemoryKeys(clock=self.clock)
        self.changes = LocalChanges()
        self._numbers = itertools.count()
        self.imports = ImportContacts(
            keys=self.keys,
            normalizer=MemoryNormalizer(),
            jobs=self.store,
            announcer=self.heard,
            clock=self.clock,
            answer=answers.accepted,
        )
        self.follow = FollowJobs(jobs=self.store, contents=self.store, changes=self.changes)
        self.look = LookForJobs(jobs=self.store, contents=self.store, normalizer=MemoryNormalizer())
        self.activity = TellActivity(activity=self.store, outbox=self.store, clock=self.clock)
        self.delivery = ServeDelivery(
            contents=self.store,
            outcomes=self.store,
            announcer=self.heard,
            changes=self.changes,
            clock=self.clock,
        )
        self.retries = RetryJobs(
            follow=self.follow,
            outcomes=self.store,
            announcer=self.heard,
            changes=self.changes,
            clock=self.clock,
        )
        self.redeliveries = RedeliverRows(
            redeliveries=self.store, announcer=self.heard, changes=self.changes, clock=self.clock
        )

    def clock(self) -> datetime:
        return self.now

    def later(self, seconds: float) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now

    async def asked(self, body: object, *, key: str = "", by: Client | None = None, origin: Origin = ORIGIN) -> Import:
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        read = await decode(raw)
        return Import(
            client=by or client(),
            origin=origin,
            key=key or f"key-{next(self._numbers)}",
            fingerprint=read.fingerprint,
            rows=read.rows,
        )

    async def accept(self, body: object, *, key: str = "", by: Client | None = None, origin: Origin = ORIGIN) -> Answer:
        return await self.imports.accept(await self.asked(body, key=key, by=by, origin=origin))

    async def job(self, body: object, *, by: Client | None = None) -> JobId:
        return (await self.accept(body, by=by)).job_id

    async def tell(self, *outcomes: Outcome) -> None:
        await self.delivery.record(outcomes)

    def outcome(self, chunk_id: str, states: Sequence[RowState] | bytes, **given: Any) -> Outcome:
        """A final first try of round 0 at the book, unless said otherwise."""
        values: dict[str, Any] = {
            "destination_id": BOOK,
            "round": 0,
            "attempt_count": 1,
            "final": True,
            "attempted_at": self.now,
            "response_status_code": 200,
        }
        return Outcome(chunk_id=ChunkId(chunk_id), row_states=bytes(states), **{**values, **given})
