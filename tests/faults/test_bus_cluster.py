"""Three JetStream servers: one is killed or cut off, or all are gone; the bus loses nothing and goes on by itself."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

import pytest

from libs.bus import DELIVERY, DELIVERY_TICKET, BusUnavailable, JetStreamBus
from libs.bus.cluster import look_at_streams
from tests.faults.test_jetstream_outages import ACK_WAIT, Tally, consuming, publish_stubbornly
from tests.fixtures.nats_cluster import NAMES, NatsCluster
from tests.fixtures.waiting import PATIENCE_SECONDS

CLIENTS = 3
PACE_SECONDS = 0.02


async def opened(cluster: NatsCluster, *, replicas: int = 3) -> JetStreamBus:
    """A client of any of the servers, which knows them all."""
    return await JetStreamBus.open(cluster.url, ack_wait=ACK_WAIT, replicas=replicas)


async def carry(cluster: NatsCluster, harm: Callable[[], Coroutine[Any, Any, None]]) -> Tally:
    """What was delivered of the messages that clients publish for as long as the harm goes on; nothing is missing."""
    tally, published = Tally(), set[str]()
    async with AsyncExitStack() as stack:
        for _ in range(CLIENTS):
            receiver = await opened(cluster)
            stack.push_async_callback(receiver.close)
            await stack.enter_async_context(consuming(receiver, tally))
        async with asyncio.TaskGroup() as group:
            harming = group.create_task(harm())
            for number in range(CLIENTS):
                sender = await opened(cluster)
                stack.push_async_callback(sender.close)
                group.create_task(publish_until(harming, sender, f"client-{number}", published))
        await tally.until(lambda: published <= tally.counts.keys())
    return tally


async def publish_until(ended: asyncio.Task[None], bus: JetStreamBus, name: str, published: set[str]) -> None:
    """One message after the other, with a pause between, each until it is confirmed."""
    number = 0
    while not ended.done():
        number += 1
        await publish_stubbornly(bus, f"{name}-{number}")
        published.add(f"{name}-{number}")
        await asyncio.sleep(PACE_SECONDS)


async def leader(cluster: NatsCluster) -> str:
    """The server that leads the stream of tickets, once all three have all of it."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = await look_at_streams([node.monitor_url for node in cluster.nodes.values()])
            for each in found:
                if each.name == DELIVERY.name and each.healthy and each.replicas == len(NAMES):
                    return each.leader
            await asyncio.sleep(0.1)


@pytest.mark.long  # their short form is an import's, in test_cluster_kills, as of those below
async def test_each_server_in_turn_is_killed_under_load(nats_cluster: NatsCluster) -> None:
    async def harm() -> None:
        for node in nats_cluster.nodes.values():
            await node.kill()
            await asyncio.sleep(1)  # the others elect a leader and go on
            await node.start()

    tally = await carry(nats_cluster, harm)

    assert sum(tally.counts.values()) <= len(tally.counts) * 1.2  # what was under way at a kill may come again


@pytest.mark.long
async def test_two_servers_that_cannot_hear_each_other_lose_nothing(nats_cluster: NatsCluster) -> None:
    async def harm() -> None:
        led_by = await leader(nats_cluster)
        other = next(name for name in NAMES if name != led_by)
        nats_cluster.switchboard.cut(led_by, other)
        await asyncio.sleep(8)  # longer than a client bears with a server that does not answer
        nats_cluster.switchboard.mend()

    await carry(nats_cluster, harm)


async def test_clients_leave_a_server_that_is_cut_off_from_the_others(nats_cluster: NatsCluster) -> None:
    async def harm() -> None:
        alone = await leader(nats_cluster)
        for name in NAMES:
            if name != alone:
                nats_cluster.switchboard.cut(alone, name)
        await asyncio.sleep(8)
        nats_cluster.switchboard.mend()

    await carry(nats_cluster, harm)


@pytest.mark.long
async def test_a_kill_of_all_servers_at_once_loses_nothing_that_was_confirmed(nats_cluster: NatsCluster) -> None:
    tally = Tally()
    bus = await opened(nats_cluster)
    ids = [f"id-{number}" for number in range(100)]
    await asyncio.gather(*(publish_stubbornly(bus, message_id) for message_id in ids))

    await asyncio.gather(*(node.kill() for node in nats_cluster.nodes.values()))
    await asyncio.gather(*(node.start() for node in nats_cluster.nodes.values()))
    async with consuming(bus, tally):
        await tally.until(lambda: len(tally.counts) == len(ids))
    await bus.close()

    assert set(tally.counts.values()) == {1}


async def test_a_stream_that_all_servers_lost_is_made_anew(nats_cluster: NatsCluster) -> None:
    tally = Tally()
    bus = await opened(nats_cluster)
    async with consuming(bus, tally):
        await publish_stubbornly(bus, "before")
        await tally.until(lambda: "before" in tally.counts)
        nodes = list(nats_cluster.nodes.values())
        await asyncio.gather(*(node.kill() for node in nodes))
        for node in nodes:
            node.delete_store()
        await asyncio.gather(*(node.start() for node in nodes))
        await publish_stubbornly(bus, "after")
        await tally.until(lambda: "after" in tally.counts)
    await bus.close()

    assert tally.counts == {"before": 1, "after": 1}


async def test_a_stream_of_one_server_is_spread_over_three_where_it_is(nats_cluster: NatsCluster) -> None:
    small = await opened(nats_cluster, replicas=1)
    await publish_stubbornly(small, "before")
    await small.close()

    grown = await opened(nats_cluster)
    tally = Tally()
    async with consuming(grown, tally):
        await tally.until(lambda: "before" in tally.counts)
        led_by = await leader(nats_cluster)
        await nats_cluster.nodes[led_by].kill()
        await publish_stubbornly(grown, "after")
        await tally.until(lambda: "after" in tally.counts)
    await grown.close()

    assert set(tally.counts) == {"before", "after"}


async def test_streams_tell_their_leaders_and_their_replicas(nats_cluster: NatsCluster) -> None:
    bus = await opened(nats_cluster)
    await publish_stubbornly(bus, "a")

    found = await look_at_streams([node.monitor_url for node in nats_cluster.nodes.values()])
    await bus.close()

    tickets = next(each for each in found if each.name == DELIVERY.name)
    assert tickets.replicas == 3
    assert tickets.leader in NAMES


async def test_a_cluster_without_a_majority_confirms_nothing(nats_cluster: NatsCluster) -> None:
    bus = await opened(nats_cluster)
    await nats_cluster.nodes["nats-1"].kill()
    await nats_cluster.nodes["nats-2"].kill()

    with pytest.raises(BusUnavailable):
        await bus.publish(DELIVERY_TICKET, b"ticket", message_id="a")
    await bus.close()


async def test_routes_ask_for_their_password(nats_cluster: NatsCluster) -> None:
    port = nats_cluster.switchboard.address("nats-1").rpartition(":")[2]
    reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
    await reader.readline()

    writer.write(b'CONNECT {"name":"intruder","user":"route","pass":"guess","cluster":"contactsync"}\r\nPING\r\n')
    async with asyncio.timeout(PATIENCE_SECONDS):
        answer = await reader.read(4096)
    writer.close()

    assert b"Authorization Violation" in answer
