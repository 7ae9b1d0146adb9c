"""JetStream is killed, loses its store, stays away: the bus goes on by itself."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import pytest

from libs.bus import (
    DELIVERY,
    DELIVERY_TICKET,
    Ack,
    Bus,
    BusUnavailable,
    JetStreamBus,
    Message,
    NotSynchronous,
    Verdict,
    assert_synchronous,
)
from tests.fixtures.nats import NatsServer
from tests.fixtures.waiting import PATIENCE_SECONDS

ACK_WAIT = timedelta(seconds=2)


@pytest.fixture
async def bus(nats_server: NatsServer) -> AsyncIterator[JetStreamBus]:
    opened = await JetStreamBus.open(nats_server.url, ack_wait=ACK_WAIT)
    yield opened
    await opened.close()


@asynccontextmanager
async def consuming(bus: Bus, deliver: Callable[[Message], Awaitable[Verdict]]) -> AsyncIterator[None]:
    task = asyncio.create_task(bus.consume(DELIVERY.name, "delivery", deliver, in_flight=64))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Tally:
    """Acknowledges everything and counts deliveries by message id."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._changed = asyncio.Condition()

    async def __call__(self, message: Message) -> Verdict:
        self.counts[message.message_id] += 1
        async with self._changed:
            self._changed.notify_all()
        return Ack()

    def has(self, number: int) -> bool:
        return len(self.counts) >= number

    async def until(self, fact: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS), self._changed:
            await self._changed.wait_for(fact)


async def publish_stubbornly(bus: Bus, message_id: str) -> None:
    """Publish as an outbox does: with the same id until it is confirmed."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                return await bus.publish(DELIVERY_TICKET, b"ticket", message_id=message_id)
            except BusUnavailable:
                await asyncio.sleep(0.05)


async def test_a_kill_loses_nothing_that_was_confirmed(nats_server: NatsServer, bus: JetStreamBus) -> None:
    ids = [f"id-{number}" for number in range(200)]
    await asyncio.gather(*(publish_stubbornly(bus, message_id) for message_id in ids))
    tally = Tally()

    await nats_server.kill()
    await nats_server.start()
    async with consuming(bus, tally):
        await tally.until(lambda: len(tally.counts) == len(ids))

    assert set(tally.counts.values()) == {1}


async def test_nothing_acknowledged_comes_again_after_a_kill(nats_server: NatsServer, bus: JetStreamBus) -> None:
    first, second = Tally(), Tally()
    async with consuming(bus, first):
        for number in range(100):
            await publish_stubbornly(bus, f"id-{number}")
        await first.until(lambda: len(first.counts) == 100)

    await nats_server.kill()
    await nats_server.start()
    async with consuming(bus, second):
        await publish_stubbornly(bus, "end")
        await second.until(lambda: "end" in second.counts)
        await asyncio.sleep(2 * ACK_WAIT.total_seconds())  # the fact awaited is that nothing comes

    assert second.counts == {"end": 1}


async def test_kills_under_load_lose_nothing(nats_server: NatsServer, bus: JetStreamBus) -> None:
    tally = Tally()
    ids = [f"id-{number}" for number in range(600)]

    async with consuming(bus, tally), asyncio.TaskGroup() as group:
        for start in range(0, len(ids), 200):
            for message_id in ids[start : start + 200]:
                group.create_task(publish_stubbornly(bus, message_id))
            await tally.until(partial(tally.has, start + 60))
            await nats_server.kill()
            await nats_server.start()
        await tally.until(lambda: len(tally.counts) == len(ids))

    assert sum(tally.counts.values()) <= len(ids) * 1.5  # what was under way at a kill may come again, the rest not


async def test_a_delivery_that_outlasts_a_restart_is_not_begun_twice(
    nats_server: NatsServer, bus: JetStreamBus
) -> None:
    tally, release = Tally(), asyncio.Event()

    async def deliver(message: Message) -> Verdict:
        verdict = await tally(message)
        if message.message_id == "long":
            await release.wait()
        return verdict

    async with consuming(bus, deliver):
        await publish_stubbornly(bus, "long")
        await tally.until(lambda: "long" in tally.counts)
        await nats_server.kill()
        await asyncio.sleep(1.5 * ACK_WAIT.total_seconds())  # its ack_wait runs out meanwhile
        await nats_server.start()
        await publish_stubbornly(bus, "end")
        await tally.until(lambda: "end" in tally.counts)
        await asyncio.sleep(1.5 * ACK_WAIT.total_seconds())
        release.set()
        await publish_stubbornly(bus, "last")
        await tally.until(lambda: "last" in tally.counts)

    assert tally.counts == {"long": 1, "end": 1, "last": 1}


async def test_a_deleted_store_is_made_anew(nats_server: NatsServer, bus: JetStreamBus) -> None:
    tally = Tally()

    async with consuming(bus, tally):
        await publish_stubbornly(bus, "before")
        await tally.until(lambda: "before" in tally.counts)
        await nats_server.kill()
        nats_server.delete_store()
        await nats_server.start()
        await publish_stubbornly(bus, "after")
        await tally.until(lambda: "after" in tally.counts)

    assert tally.counts == {"before": 1, "after": 1}


async def test_a_verdict_from_before_the_store_was_lost_hits_no_new_message(
    nats_server: NatsServer, bus: JetStreamBus
) -> None:
    release, began, again = asyncio.Event(), asyncio.Event(), Tally()

    async def slow(message: Message) -> Verdict:
        began.set()
        await release.wait()
        return await again(message)

    async with consuming(bus, slow):
        await publish_stubbornly(bus, "old")
        await began.wait()
        await nats_server.kill()
        nats_server.delete_store()
        await nats_server.start()
        began.clear()
        await publish_stubbornly(bus, "new")  # has the number that "old" had
        await began.wait()
        release.set()
        await again.until(lambda: "new" in again.counts)

    assert again.counts == {"old": 1, "new": 1}


async def test_a_deleted_stream_is_made_anew_while_connected(nats_server: NatsServer, bus: JetStreamBus) -> None:
    tally = Tally()

    async with consuming(bus, tally):
        await publish_stubbornly(bus, "before")
        await tally.until(lambda: "before" in tally.counts)
        await nats_server.delete_stream(DELIVERY.name)
        await publish_stubbornly(bus, "after")
        await tally.until(lambda: "after" in tally.counts)

    assert tally.counts == {"before": 1, "after": 1}


async def test_publishing_while_disconnected_is_refused_at_once(nats_server: NatsServer, bus: JetStreamBus) -> None:
    await nats_server.kill()

    started = time.monotonic()
    with pytest.raises(BusUnavailable):
        await bus.publish(DELIVERY_TICKET, b"", message_id="a")

    assert time.monotonic() - started < 4  # the bus is patient for so long with a server that it can reach


async def test_an_absent_server_is_waited_for(nats_server: NatsServer) -> None:
    await nats_server.stop()

    bus = await JetStreamBus.open(nats_server.url)
    with pytest.raises(BusUnavailable):
        await bus.check()
    await nats_server.start()
    await publish_stubbornly(bus, "a")

    await bus.check()
    await bus.close()


async def test_a_server_of_our_configuration_syncs(nats_server: NatsServer) -> None:
    await assert_synchronous(nats_server.monitor_url)


async def test_a_server_that_does_not_sync_is_found_out(nats_server: NatsServer) -> None:
    await nats_server.stop()
    nats_server.config = nats_server.config.replace("sync_interval: always", "sync_interval: 1s")
    await nats_server.start()

    with pytest.raises(NotSynchronous) as refusal:
        await assert_synchronous(nats_server.monitor_url)

    assert refusal.value.found == "sync_interval is 1 s"


async def test_an_absent_server_does_not_pass_as_synchronous(nats_server: NatsServer) -> None:
    await nats_server.stop()

    with pytest.raises(BusUnavailable):
        await assert_synchronous(nats_server.monitor_url)


async def test_a_consumer_cancelled_in_the_middle_of_an_outage_ends(nats_server: NatsServer) -> None:
    for turns in range(12):  # the moment of the cancellation moves through the handling of the loss
        bus = await JetStreamBus.open(nats_server.url)
        task = asyncio.create_task(bus.consume(DELIVERY.name, "delivery", Tally(), in_flight=64))
        await publish_stubbornly(bus, f"id-{turns}")
        await nats_server.kill()
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=PATIENCE_SECONDS)
        await bus.close()
        await nats_server.start()

        assert task in done
