"""Calls to other services of the hub."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import grpc
import pytest
from contactsync.access.v1 import access_service_pb2, client_pb2
from contactsync.idempotency.v1 import idempotency_service_pb2, idempotency_service_pb2_grpc
from contactsync.ingestion.v1 import ingestion_service_pb2, ingestion_service_pb2_grpc
from contactsync.policy.v1 import policy_pb2
from opentelemetry import baggage, context

from libs.rpc import (
    Peer,
    PeerRefused,
    PeerUnavailable,
    Refusal,
    Scope,
    ServiceCaller,
    Violation,
    remote_authenticator,
)
from tests.fixtures.ports import free_port
from tests.integration.rpc.callers import CallerHere
from tests.integration.rpc.conftest import Stubs
from tests.integration.rpc.world import KEY, World, bearer, hear, make_server

FETCH = ingestion_service_pb2.FetchChunksRequest(chunk_ids=["c"])
RELEASE = idempotency_service_pb2.ReleaseManyRequest(
    items=[idempotency_service_pb2.ReleaseItem(client_id="a", key="k", fence=1)]
)


@pytest.fixture
async def server(world: World) -> AsyncIterator[Any]:
    started = make_server(world, listen=f"127.0.0.1:{free_port()}")
    await started.start()
    yield started
    await started.stop()


@pytest.fixture
async def delivery(server: Any) -> AsyncIterator[Peer]:
    peer = Peer(f"127.0.0.1:{server.port}", identity=CallerHere("delivery", KEY))
    yield peer
    await peer.close()


@pytest.fixture
async def ingestion(server: Any) -> AsyncIterator[Peer]:
    peer = Peer(f"127.0.0.1:{server.port}", identity=CallerHere("ingestion", KEY))
    yield peer
    await peer.close()


def _fetch(peer: Peer) -> Any:
    return ingestion_service_pb2_grpc.IngestionServiceStub(peer.channel).FetchChunks


def _release(peer: Peer) -> Any:
    return idempotency_service_pb2_grpc.IdempotencyServiceStub(peer.channel).ReleaseMany


async def test_call_carries_identity_and_correlation(world: World, delivery: Peer) -> None:
    token = context.attach(baggage.set_baggage("correlation_id", "c-1"))
    await delivery.call(_fetch(delivery), FETCH)
    context.detach(token)

    assert world.callers == [ServiceCaller("delivery")]
    assert world.correlation_ids == ["c-1"]


async def test_refusal_of_a_peer_is_read_whole(world: World, delivery: Peer) -> None:
    async def behave(request: Any) -> None:
        raise Refusal(
            "STATE_CONFLICT",
            "Занято",
            violations=[Violation("/a", "c", "m")],
            fields={"resource": "destination"},
            retry_after=timedelta(seconds=3),
        )

    world.behave = behave
    with pytest.raises(PeerRefused) as caught:
        await delivery.call(_fetch(delivery), FETCH)

    refused = caught.value
    assert (refused.reason, refused.message, refused.retry_after) == (
        "STATE_CONFLICT",
        "Занято",
        timedelta(seconds=3),
    )
    assert refused.violations == (Violation("/a", "c", "m"),)
    assert refused.fields["resource"] == "destination"


async def test_only_what_has_no_side_effects_is_tried_again(world: World, delivery: Peer, ingestion: Peer) -> None:
    async def behave(request: Any) -> None:
        raise Refusal("SERVICE_UNAVAILABLE", "busy")

    world.behave = behave
    with pytest.raises(PeerUnavailable):
        await delivery.call(_fetch(delivery), FETCH)
    with pytest.raises(PeerUnavailable) as caught:
        await ingestion.call(_release(ingestion), RELEASE)

    assert world.served == ["FetchChunks"] * 3 + ["ReleaseMany"]
    assert caught.value.method == "contactsync.idempotency.v1.IdempotencyService/ReleaseMany"


async def test_read_succeeds_at_the_second_try(world: World, delivery: Peer) -> None:
    async def behave(request: Any) -> None:
        if len(world.served) == 1:
            raise Refusal("SERVICE_UNAVAILABLE", "busy")

    world.behave = behave

    assert await delivery.call(_fetch(delivery), FETCH) == ingestion_service_pb2.FetchChunksResponse()


async def test_peer_that_is_not_there_is_unavailable() -> None:
    peer = Peer("127.0.0.1:1", identity=CallerHere("delivery", KEY))

    with pytest.raises(PeerUnavailable) as caught:
        await peer.call(_fetch(peer), FETCH, timeout=timedelta(seconds=2))

    assert caught.value.reason == "SERVICE_UNAVAILABLE"
    await peer.close()


async def test_patient_call_outlasts_a_restart_of_the_peer(world: World, server: Any, ingestion: Peer) -> None:
    async def behave(request: Any) -> None:
        if len(world.served) == 1:
            raise Refusal("SERVICE_UNAVAILABLE", "about to end")

    world.behave = behave
    await server.stop()
    call = asyncio.create_task(
        ingestion.call(_release(ingestion), RELEASE, timeout=timedelta(seconds=30), repeatable=True)
    )
    again = make_server(world, listen=f"127.0.0.1:{server.port}")
    await again.start()
    try:
        assert (await call).released == [True]
    finally:
        await again.stop()

    assert world.served == ["ReleaseMany", "ReleaseMany"]


async def test_passed_deadline_is_unavailable(world: World, ingestion: Peer) -> None:
    async def behave(request: Any) -> None:
        await asyncio.Event().wait()

    world.behave = behave
    with pytest.raises(PeerUnavailable) as caught:
        await ingestion.call(_release(ingestion), RELEASE, timeout=timedelta(milliseconds=100))

    assert caught.value.code is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_call_within_a_call_has_no_more_time_than_it(world: World, stubs: Stubs, ingestion: Peer) -> None:
    async def behave(request: Any) -> None:
        if world.served[-1] == "GetJob":
            await ingestion.call(_release(ingestion), RELEASE, timeout=timedelta(seconds=60))

    world.behave = behave

    await hear(stubs.typed.GetJob, ingestion_service_pb2.GetJobRequest(job_id="j"), bearer())

    (left,) = world.seconds_left
    assert left is not None
    assert 0 < left < 21  # gRPC rounds a deadline up on the wire


async def test_unhandled_refusal_of_a_peer_is_an_internal_error(world: World, stubs: Stubs) -> None:
    async def behave(request: Any) -> None:
        raise PeerRefused("UNAUTHORIZED", "of the peer")

    world.behave = behave

    heard = await hear(stubs.typed.GetJob, ingestion_service_pb2.GetJobRequest(job_id="j"), bearer())

    assert heard.code is grpc.StatusCode.INTERNAL
    assert "of the peer" not in str(heard)


async def test_keys_are_resolved_by_access_in_batches(world: World, ingestion: Peer) -> None:
    settings = client_pb2.ClientSettings(scopes=[policy_pb2.SCOPE_IMPORT], rate=3)
    known = access_service_pb2.AuthenticateResult(client=client_pb2.Client(id="a", settings=settings, enabled=True))
    asked: list[int] = []

    async def behave(request: Any) -> Any:
        asked.append(len(request.keys))
        return [known if key == "good" else access_service_pb2.AuthenticateResult() for key in request.keys]

    world.behave = behave
    authenticate = remote_authenticator(ingestion)

    clients = await asyncio.gather(authenticate("good"), authenticate("bad"), authenticate("good"))
    again = await authenticate("good")

    assert [client and client.client_id for client in clients] == ["a", None, "a"]
    assert again is not None
    assert (again.scopes, again.rate) == (frozenset({Scope.IMPORT}), 3)
    assert asked == [3]
