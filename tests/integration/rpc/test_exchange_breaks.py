"""Kept streams when connections break, servers stop, and releases differ."""

import asyncio
from collections import Counter
from typing import Any

import grpc
import pytest
from contactsync.idempotency.v1 import idempotency_service_pb2 as idempotency_pb

from libs.rpc import Peer, PeerUnavailable, RpcServer
from tests.fixtures.ports import free_port
from tests.integration.rpc.callers import FETCH, RELEASE, CallerHere, calling, fetching, releasing
from tests.integration.rpc.relay import Relay
from tests.integration.rpc.world import World, make_server, serving


async def test_what_was_under_way_when_the_connection_broke_is_repeated_only_where_it_may(
    world: World, ingestion: CallerHere
) -> None:
    async with serving(world), Relay(world.port).listening() as relay, calling(relay.address, ingestion) as peer:

        async def behave(request: Any) -> None:
            if len(world.served) in {2, 3}:
                relay.cut()
                await asyncio.Event().wait()

        world.behave = behave
        await peer.call(releasing(peer), RELEASE)
        with pytest.raises(PeerUnavailable):
            await peer.call(releasing(peer), RELEASE)
        await peer.call(releasing(peer), RELEASE, repeatable=True)

    assert len(world.served) == 4


async def test_stream_that_broke_between_calls_is_not_used_again(world: World, ingestion: CallerHere) -> None:
    async with serving(world), Relay(world.port).listening() as relay, calling(relay.address, ingestion) as peer:
        await peer.call(releasing(peer), RELEASE)
        relay.cut()
        while peer._streams._idle[0].is_good(0.0):  # noqa: ASYNC110 - it shows nowhere else
            await asyncio.sleep(0.001)
        await peer.call(releasing(peer), RELEASE)

    assert len(world.served) == 2
    assert relay.connections == 2


async def test_rolling_restart_fails_no_call_and_makes_none_twice(world: World, ingestion: CallerHere) -> None:
    made: Counter[str] = Counter()
    enough = asyncio.Event()

    async def behave(request: Any) -> None:
        await asyncio.sleep(0)
        made[request.items[0].key] += 1

    world.behave = behave
    address = f"127.0.0.1:{free_port()}"
    server = make_server(world, listen=address)
    await server.start()
    async with calling(address, ingestion) as peer:
        callers = [asyncio.create_task(keep_releasing(peer, f"{caller}", enough)) for caller in range(4)]
        for _ in range(3):
            await until_more(made)
            await server.stop()
            server = make_server(world, listen=address)
            await server.start()
        await until_more(made)
        enough.set()
        asked = sum(await asyncio.gather(*callers))
    await server.stop()

    assert set(made.values()) == {1}
    assert len(made) == asked


async def keep_releasing(peer: Peer, name: str, enough: asyncio.Event) -> int:
    """Calls that may not be repeated, each with a key of its own, and gives how many."""
    number = 0
    while not enough.is_set():
        item = idempotency_pb.ReleaseItem(client_id="a", key=f"{name}-{number}", fence=1)
        await peer.call(releasing(peer), idempotency_pb.ReleaseManyRequest(items=[item]))
        number += 1
    return number


async def until_more(made: Counter[str]) -> None:
    """Waits until calls are served again."""
    before = len(made)
    while len(made) < before + 50:  # noqa: ASYNC110 - counted by whoever serves
        await asyncio.sleep(0.001)


async def test_call_that_runs_when_the_server_stops_is_answered(world: World, ingestion: CallerHere) -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def behave(request: Any) -> None:
        begun.set()
        await go.wait()

    world.behave = behave
    server = make_server(world)
    await server.start()
    async with calling(f"127.0.0.1:{server.port}", ingestion) as peer:
        asking = asyncio.create_task(peer.call(releasing(peer), RELEASE))
        await begun.wait()
        stopping = asyncio.create_task(server.stop())
        while not server._load.stopping:  # noqa: ASYNC110 - it shows nowhere else
            await asyncio.sleep(0.001)
        go.set()

        assert (await asking).released == [True]
        await stopping


async def test_server_that_is_not_well_lets_its_streams_go(world: World, ingestion: CallerHere) -> None:
    server = make_server(world)
    await server.start()
    async with calling(f"127.0.0.1:{server.port}", ingestion) as peer:
        await peer.call(releasing(peer), RELEASE)
        await server._tell_health(serving=False)
        await peer.call(releasing(peer), RELEASE)
        await peer.call(releasing(peer), RELEASE)
    await server.stop()

    assert (len(world.served), ingestion.shows) == (3, 2)


def old_server(world: World, **settings: Any) -> RpcServer:
    """One of a release that did not have the exchange."""
    server = make_server(world, **settings)
    server._registrations = tuple(each for each in server._registrations if each.service.name != "ExchangeService")
    return server


async def test_server_of_an_older_release_is_called_without_streams(world: World, delivery: CallerHere) -> None:
    server = old_server(world)
    await server.start()
    async with calling(f"127.0.0.1:{server.port}", delivery) as peer:
        for _ in range(3):
            await peer.call(fetching(peer), FETCH)
    await server.stop()

    assert (len(world.served), delivery.shows) == (3, 4)


async def test_old_and_new_replicas_answer_side_by_side(world: World, delivery: CallerHere) -> None:
    old, new = old_server(world), make_server(world)
    await old.start()
    await new.start()
    async with calling(f"127.0.0.1:{old.port},127.0.0.1:{new.port}", delivery) as peer:
        for _ in range(8):
            await peer.call(fetching(peer), FETCH)
    await old.stop()
    await new.stop()

    assert len(world.served) == 8


async def test_replicas_take_turns_as_streams_get_old(delivery: CallerHere) -> None:
    worlds = [World(), World()]

    async with serving(worlds[0]), serving(worlds[1]):
        address = ",".join(f"127.0.0.1:{world.port}" for world in worlds)
        async with calling(address, delivery) as peer:
            peer._streams._life = lambda: 0.0
            while not all(world.served for world in worlds):
                await peer.call(fetching(peer), FETCH)


async def test_new_certificate_is_shown_by_new_streams(world: World, delivery: CallerHere) -> None:
    async with serving(world):
        peer = Peer(f"127.0.0.1:{world.port}", identity=delivery, callee=Renewed())  # type: ignore[arg-type]
        await peer.call(fetching(peer), FETCH)
        await peer.call(fetching(peer), FETCH)
        peer._callee.generation = object()  # type: ignore[misc]
        await peer.call(fetching(peer), FETCH)
        await peer.close()

    assert delivery.shows == 2


async def test_stream_of_a_certificate_that_was_replaced_meanwhile_is_not_used_again(
    world: World, delivery: CallerHere
) -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def behave(request: Any) -> None:
        if len(world.served) == 1:
            begun.set()
            await go.wait()

    world.behave = behave
    async with serving(world):
        peer = Peer(f"127.0.0.1:{world.port}", identity=delivery, callee=Renewed())  # type: ignore[arg-type]
        first = asyncio.create_task(peer.call(fetching(peer), FETCH))
        await begun.wait()
        peer._callee.generation = object()  # type: ignore[misc]
        await peer.call(fetching(peer), FETCH)
        (newer,) = peer._streams._idle
        go.set()
        await first

        assert peer._streams._idle == [newer]
        await peer.close()


class Renewed:
    """A callee in the clear whose generation changes."""

    generation: object = None

    def channel(self, target: str, options: Any) -> grpc.aio.Channel:
        return grpc.aio.insecure_channel(target, options=options)
