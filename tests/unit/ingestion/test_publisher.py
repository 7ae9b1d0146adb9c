"""Tickets: how the outbox gets out, whatever the bus does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from contactsync.delivery.v1.ticket_pb2 import DeliveryTicket

from services.ingestion.publisher.relay import Relay
from services.ingestion.publisher.sweeper import Sweeper
from tests.unit.ingestion.world import ORIGIN, PATIENCE, World, contacts


class FakeBus:
    """Keeps what it is given; answers when it is let, and fails when it is told to."""

    def __init__(self) -> None:
        self.published: list[tuple[str, DeliveryTicket]] = []
        self.let = asyncio.Event()
        self.let.set()
        self.away = False
        self.changed, self.arrived = asyncio.Event(), asyncio.Event()

    async def publish(self, subject: str, payload: bytes, *, message_id: str) -> None:
        assert subject == "tickets"
        self.changed.set()
        await self.let.wait()
        if self.away:
            raise ConnectionError
        self.published.append((message_id, DeliveryTicket.FromString(payload)))
        self.arrived.set()

    def refs(self) -> list[list[str]]:
        return [[ref.chunk_id for ref in ticket.deliveries] for _, ticket in self.published]


class Post:
    """A world whose tickets go to a bus."""

    def __init__(self) -> None:
        self.world, self.bus = World(), FakeBus()
        self.relay = Relay(
            bus=self.bus, subject="tickets", outbox=self.world.store, clock=self.world.clock, patience=PATIENCE
        )
        self.world.imports._announcer = self.relay
        self.sweeper = Sweeper(
            outbox=self.world.store, relay=self.relay, clock=self.world.clock, interval=timedelta(seconds=1)
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        work = asyncio.create_task(self.relay.run())
        yield
        work.cancel()
        await asyncio.wait([work])
        await self.relay.close()

    async def until(self, messages: int) -> None:
        async with asyncio.timeout(10):
            while len(self.bus.published) < messages:
                await self.bus.arrived.wait()
                self.bus.arrived.clear()
        await self.relay.close()


async def test_an_accepted_job_is_made_known_at_once_and_leaves_the_outbox() -> None:
    post = Post()
    async with post.open():
        job_id = await post.world.job(contacts(1001))
        await post.until(1)

    (message_id, ticket), *rest = post.bus.published
    assert not rest
    assert [(ref.chunk_id, ref.destination_id, ref.round) for ref in ticket.deliveries] == [
        (f"{job_id}.0", "directory", 0),
        (f"{job_id}.1", "directory", 0),
    ]
    assert ticket.deliveries[0].correlation_id == ORIGIN.correlation_id
    assert ticket.deliveries[0].traceparent == ORIGIN.traceparent
    assert message_id
    assert not await post.world.store.unpublished(limit=9)


async def test_what_queues_while_the_bus_is_busy_shares_messages_of_a_hundred() -> None:
    post = Post()
    post.bus.let.clear()
    async with post.open():
        for _ in range(2):
            await post.world.job(contacts(1))
            await post.bus.changed.wait()
            post.bus.changed.clear()
        for _ in range(150):
            await post.world.job(contacts(1))
        post.bus.let.set()
        await post.until(4)

    assert sorted(len(refs) for refs in post.bus.refs()) == [1, 1, 50, 100]


async def test_what_is_queued_when_it_closes_is_made_known_first() -> None:
    post = Post()
    for _ in range(150):
        await post.world.job(contacts(1))

    await post.relay.close()

    assert sorted(len(refs) for refs in post.bus.refs()) == [50, 100]
    assert not await post.world.store.unpublished(limit=200)


async def test_an_import_is_accepted_while_the_bus_is_away_and_made_known_when_it_is_back() -> None:
    post = Post()
    post.bus.away = True
    async with post.open():
        job_id = await post.world.job(contacts(1))
        await post.bus.changed.wait()
        await post.relay.close()
        post.bus.away = False
        await post.sweeper.sweep()
        await post.until(1)

    assert post.bus.refs() == [[f"{job_id}.0"]]


async def test_after_a_start_what_was_never_made_known_goes_out() -> None:
    post = Post()
    job_id = await post.world.job(contacts(1))
    post.relay._queue.clear()

    async with post.open():
        await post.sweeper.sweep()
        await post.sweeper.sweep()
        await post.until(1)

    assert post.bus.refs() == [[f"{job_id}.0"]]


async def test_what_is_not_done_in_time_is_made_known_again_under_another_message_id() -> None:
    post = Post()
    async with post.open():
        job_id = await post.world.job(contacts(1))
        await post.until(1)
        post.relay.behind = False
        await post.sweeper.sweep()
        post.world.later(PATIENCE.total_seconds())
        await post.sweeper.sweep()
        await post.until(2)
        await post.sweeper.sweep()

    assert post.bus.refs() == [[f"{job_id}.0"]] * 2
    assert post.bus.published[0][0] != post.bus.published[1][0]


async def test_the_sweeper_outlives_a_store_that_fails() -> None:
    post = Post()
    swept = asyncio.Event()

    async def fail(*, limit: int) -> list[object]:
        swept.set()
        raise RuntimeError

    post.world.store.unpublished = fail  # type: ignore[method-assign, assignment]
    work = asyncio.create_task(post.sweeper.run())
    await swept.wait()
    await asyncio.sleep(0)

    assert not work.done()
    work.cancel()
    await asyncio.wait([work])
