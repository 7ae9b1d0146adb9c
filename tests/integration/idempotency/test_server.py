"""Both entrances on a real channel, behind the door."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import grpc
import pytest
from contactsync.call.v1.call_pb2 import CallContext
from contactsync.idempotency.v1 import idempotency_api_pb2, idempotency_service_pb2
from contactsync.idempotency.v1.idempotency_api_pb2_grpc import IdempotencyApiStub
from contactsync.idempotency.v1.idempotency_service_pb2_grpc import IdempotencyServiceStub
from grpc_health.v1 import health_pb2, health_pb2_grpc

from libs.rpc import ClientCaller, ClientId, Door, Identity, Peer, PeerRefused, RpcServer, RpcSettings, Scope
from services.idempotency.main import compose, registrations, running
from services.idempotency.settings import Settings
from services.idempotency.store.sql import MIGRATIONS
from tests.fixtures.databases import OpenFresh

SERVICE_KEY = bytes(range(32))
CLIENTS = {
    "key-a": ClientCaller(ClientId("client-a"), frozenset({Scope.IMPORT}), rate=1000.0),
    "key-b": ClientCaller(ClientId("client-b"), frozenset({Scope.READ}), rate=1000.0),
}
BODY = b'[{"phone": "+79001234567"}]'
ANSWER = b'{"job_id":"x","total_contacts":1,"note":"\\u044f  kept"}'


async def authenticate(key: str) -> ClientCaller | None:
    return CLIENTS.get(key)


@dataclass
class Calls:
    """Callers of one server."""

    peer: Peer
    channel: grpc.aio.Channel

    async def begin(self, *items: idempotency_service_pb2.BeginItem) -> list[idempotency_service_pb2.BeginResult]:
        request = idempotency_service_pb2.BeginManyRequest(items=items)
        response = await self.peer.call(IdempotencyServiceStub(self.peer.channel).BeginMany, request)
        return [*response.results]

    async def complete(self, fence: int, *, key: str = "key") -> bool:
        item = idempotency_service_pb2.CompleteItem(
            context=CallContext(caller=stated()),
            client_id="client-a",
            key=key,
            fence=fence,
            status_code=202,
            body=ANSWER,
        )
        request = idempotency_service_pb2.CompleteManyRequest(items=[item])
        response = await self.peer.call(IdempotencyServiceStub(self.peer.channel).CompleteMany, request)
        [completed] = response.completed
        return completed

    async def release(self, fence: int, *, key: str = "key") -> bool:
        item = idempotency_service_pb2.ReleaseItem(
            context=CallContext(caller=stated()), client_id="client-a", key=key, fence=fence
        )
        request = idempotency_service_pb2.ReleaseManyRequest(items=[item])
        response = await self.peer.call(IdempotencyServiceStub(self.peer.channel).ReleaseMany, request)
        [released] = response.released
        return released

    async def get(self, key: str, *, api_key: str = "key-a") -> tuple[dict[str, str], bytes]:
        """The initial metadata, and the body."""
        call: Any = IdempotencyApiStub(self.channel).GetKey(
            idempotency_api_pb2.GetKeyRequest(key=key), metadata=(("authorization", f"Bearer {api_key}"),), timeout=10
        )
        body = await call
        return dict(await call.initial_metadata()), body.data


def stated(client_id: str = "client-a", *, issuer: str = "ingestion") -> str:
    """That a service let a client in."""
    return Identity(issuer, SERVICE_KEY).token("idempotency", client_id=client_id)


def item(key: str = "key", *, body: bytes = BODY, traceparent: str = "") -> idempotency_service_pb2.BeginItem:
    digest = sha256(body).digest()
    context = CallContext(correlation_id="c-1", traceparent=traceparent, caller=stated())
    return idempotency_service_pb2.BeginItem(
        context=context, client_id="client-a", key=key, body_hash=digest, fingerprint=digest
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    key_file = tmp_path / "service.key"
    key_file.write_text(SERVICE_KEY.hex())
    return Settings(
        listen="127.0.0.1:0",
        database_url=f"sqlite:///{tmp_path}/idempotency.sqlite3",
        service_key_file=key_file,
        access_address="127.0.0.1:1",
    )


@pytest.fixture
async def calls(settings: Settings, open_fresh: OpenFresh) -> AsyncIterator[Calls]:
    database = await open_fresh(MIGRATIONS)
    identity = Identity("idempotency", SERVICE_KEY)
    server = RpcServer(
        RpcSettings(listen=settings.listen),
        registrations(compose(settings, database), identity),
        door=Door(identity=identity, authenticate=authenticate),
        ready=database.check,
    )
    await server.start()
    peer = Peer(f"127.0.0.1:{server.port}", identity=Identity("ingestion", SERVICE_KEY))
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield Calls(peer, channel)
    await peer.close()
    await server.stop()


async def test_a_request_is_begun_completed_and_replayed(calls: Calls) -> None:
    sampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    first, same, other = await calls.begin(
        item(traceparent=sampled), item(traceparent=sampled), item(body=b"other", traceparent=sampled)
    )
    completed = await calls.complete(first.started.fence)
    [replay] = await calls.begin(item())

    assert [result.WhichOneof("result") for result in (first, same, other)] == ["started", "in_progress", "conflict"]
    assert other.conflict.existing_created_at == first.started.created_at
    assert completed
    assert replay.replay.body == ANSWER
    assert (replay.replay.status_code, replay.replay.job_id) == (202, first.started.job_id)


async def test_a_released_key_is_free(calls: Calls) -> None:
    [first] = await calls.begin(item())

    assert await calls.release(first.started.fence)
    [second] = await calls.begin(item(body=b"other"))

    assert second.started.job_id != first.started.job_id


async def test_a_client_sees_its_key_as_documented(calls: Calls) -> None:
    [first] = await calls.begin(item())
    await calls.complete(first.started.fence)
    for _ in range(3):
        await calls.begin(item())

    headers, body = await calls.get("key")

    view = json.loads(body)
    assert "x-http-status" not in headers
    assert list(view) == [
        "key",
        "status",
        "payload_hash",
        "job_id",
        "created_at",
        "accessed_at",
        "access_count",
        "expires_at",
        "original_status_code",
        "original_response",
    ]
    assert ANSWER in body
    assert view["status"] == "active"
    assert view["payload_hash"] == sha256(BODY).hexdigest()
    assert (view["job_id"], view["access_count"], view["original_status_code"]) == (first.started.job_id, 3, 202)
    assert view["created_at"].endswith("Z")
    assert json.loads((await calls.get("key"))[1])["access_count"] == 3


async def test_a_key_in_progress_has_no_answer_yet(calls: Calls) -> None:
    await calls.begin(item("ключ/1"))

    view = json.loads((await calls.get("ключ/1"))[1])

    assert (view["key"], view["status"], view["original_status_code"], view["original_response"]) == (
        "ключ/1",
        "in_progress",
        None,
        None,
    )


@pytest.mark.parametrize(("key", "api_key"), [("key", "key-b"), ("unknown", "key-a"), ("", "key-a")])
async def test_another_clients_key_and_an_unknown_one_look_alike(calls: Calls, key: str, api_key: str) -> None:
    await calls.begin(item())

    headers, body = await calls.get(key, api_key=api_key)

    assert headers["x-http-status"] == "404"
    assert json.loads(body)["error"] == "not_found"


async def test_only_ingestion_may_begin_and_only_clients_may_look(calls: Calls) -> None:
    channel = calls.channel
    request = idempotency_service_pb2.BeginManyRequest(items=[item()])

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await IdempotencyServiceStub(channel).BeginMany(request, metadata=(("authorization", "Bearer key-a"),))
    with pytest.raises(PeerRefused) as refused:
        await calls.peer.call(IdempotencyServiceStub(calls.peer.channel).BeginMany, type(request)())
    headers, _ = await calls.get("key", api_key="wrong")

    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert refused.value.reason == "VALIDATION_ERROR"
    assert headers["x-http-status"] == "401"


async def test_the_process_is_put_together_and_becomes_ready(settings: Settings) -> None:
    async with running(settings) as server:
        await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            watch: Any = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=30)
            async for update in watch:
                if update.status == health_pb2.HealthCheckResponse.SERVING:
                    break
            watch.cancel()
        await server.stop()


@pytest.mark.parametrize(
    "caller",
    [
        "",
        "nonsense",
        stated("client-b"),
        stated(issuer="delivery"),
        Identity("ingestion", SERVICE_KEY).token("idempotency"),
    ],
    ids=["none", "nonsense", "another client", "another service's word", "about no client"],
)
async def test_a_client_that_nobody_let_in_has_no_keys(calls: Calls, caller: str) -> None:
    asked = item()
    asked.context.caller = caller

    with pytest.raises(PeerRefused) as refused:
        await calls.begin(asked)

    assert refused.value.reason == "FORBIDDEN"
