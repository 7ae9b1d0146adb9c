"""Calls over kept streams: all is as with calls by themselves, but what they cost."""

import asyncio
from datetime import timedelta
from typing import Any

import grpc
import pytest
from contactsync.access.v1 import access_service_pb2, client_pb2
from contactsync.access.v1.access_service_pb2_grpc import AccessServiceStub
from contactsync.exchange.v1.exchange_service_pb2 import ExchangeRequest, ExchangeResponse
from contactsync.exchange.v1.exchange_service_pb2_grpc import ExchangeServiceStub
from contactsync.ingestion.v1 import ingestion_service_pb2 as ingestion_pb
from contactsync.ingestion.v1.ingestion_service_pb2_grpc import IngestionServiceStub
from opentelemetry import baggage, context

from libs.rpc import Door, Identity, PeerRefused, PeerUnavailable, Refusal, Violation
from libs.rpc.identity import Shown
from tests.integration.rpc.callers import FETCH, RELEASE, Alone, CallerHere, calling, fetching, releasing
from tests.integration.rpc.world import KEY, World, bearer, make_server, service, serving

FETCHING = "contactsync.ingestion.v1.IngestionService/FetchChunks"


async def test_calls_one_after_the_other_are_made_on_one_stream(world: World, delivery: CallerHere) -> None:
    async with serving(world), calling(f"127.0.0.1:{world.port}", delivery) as peer:
        for _ in range(5):
            await peer.call(fetching(peer), FETCH)

    assert (len(world.served), delivery.shows) == (5, 1)


async def test_calls_at_once_are_each_made_on_a_stream_or_alone(world: World, delivery: CallerHere) -> None:
    everyone = asyncio.Barrier(24)

    async def behave(request: Any) -> None:
        await everyone.wait()

    world.behave = behave
    async with serving(world), calling(f"127.0.0.1:{world.port}", delivery) as peer:
        method = fetching(peer)
        await asyncio.gather(*(peer.call(method, FETCH, timeout=timedelta(seconds=30)) for _ in range(24)))

    assert (len(world.served), delivery.shows) == (24, 24)


async def test_call_has_nothing_of_the_one_before(world: World, delivery: CallerHere) -> None:
    async with serving(world), calling(f"127.0.0.1:{world.port}", delivery) as peer:
        token = context.attach(baggage.set_baggage("correlation_id", "c-1"))
        await peer.call(fetching(peer), FETCH)
        context.detach(token)
        await peer.call(fetching(peer), FETCH)

    assert world.correlation_ids == ["c-1", None]
    assert delivery.shows == 1


REFUSALS = {
    "refused with all there is": Refusal(
        "STATE_CONFLICT",
        "Занято",
        violations=[Violation(f"/{place}", "c", "m" * 40) for place in range(100)],
        fields={"resource": "destination"},
        retry_after=timedelta(seconds=3),
    ),
    "too busy": Refusal("SERVICE_UNAVAILABLE", "busy"),
    "failed": ValueError("+79001234567"),
    "refused by a peer": PeerRefused("NOT_FOUND", "of the peer"),
    "out of time": TimeoutError(),
    "not there": NotImplementedError(),
}


@pytest.mark.parametrize("error", REFUSALS.values(), ids=REFUSALS)
async def test_refusal_is_the_same_on_a_stream_and_alone(world: World, error: Exception, delivery: CallerHere) -> None:
    async def behave(request: Any) -> None:
        raise error

    world.behave = behave
    async with serving(world):
        told = [await refusal(world, each, FETCH) for each in (delivery, Alone(CallerHere("delivery", KEY)))]

    assert told[0] == told[1]


STRANGERS = {
    "of another key": CallerHere("delivery", b"x" * 32),
    "that the rule does not name": CallerHere("normalization", KEY),
    "that is none of ours": CallerHere("stranger", KEY),
}


@pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS)
async def test_service_is_refused_the_same_on_a_stream_and_alone(world: World, stranger: CallerHere) -> None:
    async with serving(world):
        told = [await refusal(world, each, FETCH) for each in (stranger, Alone(stranger))]

    assert told[0] == told[1]
    assert world.served == []


async def test_bad_request_is_refused_the_same_on_a_stream_and_alone(world: World, delivery: CallerHere) -> None:
    bad = ingestion_pb.FetchChunksRequest(chunk_ids=[])

    async with serving(world):
        told = [await refusal(world, each, bad) for each in (delivery, Alone(CallerHere("delivery", KEY)))]

    assert told[0] == told[1]
    assert told[0]["reason"] == "VALIDATION_ERROR"


async def refusal(world: World, identity: Shown, request: Any) -> dict[str, Any]:
    """All that the caller of `Peer.call` hears."""
    async with calling(f"127.0.0.1:{world.port}", identity) as peer:
        with pytest.raises((PeerRefused, PeerUnavailable)) as caught:
            await peer.call(fetching(peer), request)
    return {"kind": type(caught.value), **vars(caught.value)}


async def test_refusal_leaves_the_stream_to_the_next_call(world: World, delivery: CallerHere) -> None:
    async def behave(request: Any) -> None:
        if len(world.served) == 1:
            raise Refusal("NOT_FOUND", "no")

    world.behave = behave
    async with serving(world), calling(f"127.0.0.1:{world.port}", delivery) as peer:
        with pytest.raises(PeerRefused):
            await peer.call(fetching(peer), FETCH)
        await peer.call(fetching(peer), FETCH)

    assert delivery.shows == 1


@pytest.mark.parametrize(
    ("shown", "code"),
    [
        ((), grpc.StatusCode.UNAUTHENTICATED),
        ((bearer(),), grpc.StatusCode.PERMISSION_DENIED),
        ((bearer(), service("delivery")), grpc.StatusCode.UNAUTHENTICATED),
        ((service("delivery"), service("delivery")), grpc.StatusCode.UNAUTHENTICATED),
    ],
    ids=["nobody", "a partner", "a partner as a service", "a service twice"],
)
async def test_only_a_service_opens_a_stream(
    channel: grpc.aio.Channel, world: World, shown: Any, code: grpc.StatusCode
) -> None:
    exchange = ExchangeServiceStub(channel).Exchange(metadata=shown, timeout=20)

    assert await exchange.code() is code
    assert world.served == []


@pytest.mark.parametrize(
    "method",
    [
        "contactsync.ingestion.v1.IngestionService/Nothing",
        "contactsync.ingestion.v1.IngestionService/WatchJob",
        "contactsync.ingestion.v1.ImportApi/GetImport",
        "contactsync.exchange.v1.ExchangeService/Exchange",
        "grpc.health.v1.Health/Check",
        "",
    ],
)
async def test_other_than_unary_methods_of_services_are_not_there(channel: grpc.aio.Channel, method: str) -> None:
    exchange = ExchangeServiceStub(channel).Exchange(metadata=(service("delivery"),), timeout=20)

    assert not (await answered(exchange)).WhichOneof("outcome")
    await exchange.write(ExchangeRequest(method=method))

    assert (await answered(exchange)).status.code == grpc.StatusCode.UNIMPLEMENTED.value[0]
    exchange.cancel()


async def answered(exchange: Any) -> ExchangeResponse:
    answer = await exchange.read()
    assert isinstance(answer, ExchangeResponse)
    return answer


async def test_stream_does_not_outlive_the_statement_it_began_with(world: World) -> None:
    clock = [1_000_000.0]

    class Clocked(World):
        def door(self) -> Door:
            return Door(identity=Identity("ingestion", KEY, now=lambda: clock[0]), authenticate=self.authenticate)

    async with serving(Clocked()) as channel:
        statement = Identity("delivery", KEY, now=lambda: clock[0]).token("ingestion")
        exchange = ExchangeServiceStub(channel).Exchange(metadata=(("x-contactsync-service", statement),), timeout=20)
        request = ExchangeRequest(method=FETCHING, message=FETCH.SerializeToString(), timeout_ms=20_000)
        await answered(exchange)
        await exchange.write(request)
        let_in = await answered(exchange)
        clock[0] += 70
        await exchange.write(request)
        lapsed = await answered(exchange)
        exchange.cancel()

    assert let_in.WhichOneof("outcome") == "message"
    assert lapsed.status.code == grpc.StatusCode.UNAUTHENTICATED.value[0]


async def test_calls_are_counted_by_their_own_method(world: World, delivery: CallerHere) -> None:
    async def behave(request: Any) -> None:
        if len(world.served) == 2:
            raise Refusal("NOT_FOUND", "no")

    world.behave = behave
    server = make_server(world)
    await server.start()
    async with calling(f"127.0.0.1:{server.port}", delivery) as peer:
        await peer.call(fetching(peer), FETCH)
        with pytest.raises(PeerRefused):
            await peer.call(fetching(peer), FETCH)
    await server.stop()

    durations, refusals = server.measures.instruments
    assert {labels: sum(row.counts) for labels, row in durations.rows.items()} == {  # type: ignore[union-attr]
        (FETCHING, "OK"): 1,
        (FETCHING, "NOT_FOUND"): 1,
    }
    assert refusals.counts == {(FETCHING, "NOT_FOUND"): 1}  # type: ignore[union-attr]


async def test_kept_streams_take_no_places(world: World, delivery: CallerHere) -> None:
    async with (
        serving(world, maximum_concurrent_rpcs=1) as channel,
        calling(f"127.0.0.1:{world.port}", delivery) as peer,
    ):
        await peer.call(fetching(peer), FETCH)
        job = ingestion_pb.GetJobRequest(job_id="j")
        await IngestionServiceStub(channel).GetJob(job, metadata=(bearer(),), timeout=20)

    assert world.served == ["FetchChunks", "GetJob"]


async def test_large_messages_pass_both_ways(world: World, ingestion: CallerHere) -> None:
    large = client_pb2.Client(id="a", settings=client_pb2.ClientSettings(destination_ids=["d" * 1000] * 20))
    request = access_service_pb2.AuthenticateManyRequest(keys=["k" * 512] * 256)

    async def behave(request: Any) -> Any:
        return [access_service_pb2.AuthenticateResult(client=large) for _ in request.keys]

    world.behave = behave
    async with serving(world), calling(f"127.0.0.1:{world.port}", ingestion) as peer:
        answer = await peer.call(AccessServiceStub(peer.channel).AuthenticateMany, request)

    assert list(answer.results[255].client.settings.destination_ids) == ["d" * 1000] * 20
    assert ingestion.shows == 1


async def test_deadline_ends_the_call_and_its_stream(world: World, ingestion: CallerHere) -> None:
    ended = asyncio.Event()

    async def behave(request: Any) -> None:
        if len(world.served) == 1:
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

    world.behave = behave
    async with serving(world), calling(f"127.0.0.1:{world.port}", ingestion) as peer:
        with pytest.raises(PeerUnavailable) as caught:
            await peer.call(releasing(peer), RELEASE, timeout=timedelta(seconds=2))
        await ended.wait()
        await peer.call(releasing(peer), RELEASE)

    assert caught.value.code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert (len(world.served), ingestion.shows) == (2, 2)
    assert 0 < (world.seconds_left[0] or 0) <= 2.001


async def test_caller_that_gives_up_ends_the_call(world: World, ingestion: CallerHere) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def behave(request: Any) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    world.behave = behave
    async with serving(world), calling(f"127.0.0.1:{world.port}", ingestion) as peer:
        asking = asyncio.create_task(peer.call(releasing(peer), RELEASE))
        await begun.wait()
        asking.cancel()
        await ended.wait()
        with pytest.raises(asyncio.CancelledError):
            await asking
