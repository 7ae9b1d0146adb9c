"""A server with one method of each shape, over the hub's own contracts, and callers of it."""

# ruff: noqa: N802 - the names of methods are the contract's

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
from contactsync.access.v1 import access_service_pb2, access_service_pb2_grpc
from contactsync.directory.v1 import (
    connect_api_pb2,
    connect_api_pb2_grpc,
    contact_source_api_pb2,
    contact_source_api_pb2_grpc,
    sync_api_pb2,
    sync_api_pb2_grpc,
)
from contactsync.idempotency.v1 import idempotency_service_pb2, idempotency_service_pb2_grpc
from contactsync.ingestion.v1 import (
    import_api_pb2,
    import_api_pb2_grpc,
    ingestion_service_pb2,
    ingestion_service_pb2_grpc,
    job_pb2,
)
from google.api.httpbody_pb2 import HttpBody
from opentelemetry import baggage

from libs.rpc import (
    ClientCaller,
    ClientId,
    Credential,
    Door,
    Identity,
    Registration,
    RpcServer,
    RpcSettings,
    Scope,
    WorkspaceCaller,
    answer,
    call_context,
    current_caller,
)
from libs.rpc.call import CURRENT_CALL

KEY = b"k" * 32
START = datetime(2026, 1, 15, 12, tzinfo=UTC)
CLIENT = ClientCaller(ClientId("shop"), frozenset({Scope.IMPORT, Scope.READ}), rate=1000)
UNBOUNDED = ClientCaller(ClientId("shop"), frozenset({Scope.IMPORT, Scope.READ}), rate=10**9)
"""The world's clock stands still: at a lower rate whoever asks often is refused in the end, and never served again."""
Behave = Callable[[Any], Awaitable[Any]]


async def _nothing(request: Any) -> Any:
    return None


@dataclass
class World:
    """What the door knows and what the methods do; tests change it as they go."""

    clients: dict[str, ClientCaller] = field(default_factory=lambda: {"good": CLIENT})
    behave: Behave = _nothing
    opens: dict[Credential, dict[tuple[str, str], WorkspaceCaller]] = field(default_factory=dict)
    """What opens a workspace: what is presented, and the enterprise id of the path."""
    ask: Callable[[str], Awaitable[ClientCaller | None]] | None = None
    """Stands in for `clients`."""
    port: int = 0
    now: datetime = START
    seconds: float = 0.0
    served: list[str] = field(default_factory=list)
    callers: list[Any] = field(default_factory=list)
    correlation_ids: list[Any] = field(default_factory=list)
    contexts: list[Any] = field(default_factory=list)
    seconds_left: list[float | None] = field(default_factory=list)
    """What ReleaseMany had, per call."""

    async def authenticate(self, key: str) -> ClientCaller | None:
        return self.clients.get(key) if self.ask is None else await self.ask(key)

    def _opener(self, credential: Credential) -> Callable[[str, str], Awaitable[WorkspaceCaller | None]]:
        async def authenticate(presented: str, enterprise_id: str) -> WorkspaceCaller | None:
            return self.opens.get(credential, {}).get((presented, enterprise_id))

        return authenticate

    async def serve(self, method: str, request: Any) -> Any:
        """Notes what a method saw, and does what the test asked for."""
        self.served.append(method)
        self.callers.append(current_caller())
        self.correlation_ids.append(baggage.get_baggage("correlation_id"))
        self.contexts.append(call_context())
        return await self.behave(request)

    def door(self) -> Door:
        return Door(
            identity=Identity("ingestion", KEY),
            authenticate=self.authenticate,
            credentials={credential: self._opener(credential) for credential in Credential},
            monotonic=lambda: self.seconds,
            now=lambda: self.now,
        )


class RestServicer(import_api_pb2_grpc.ImportApiServicer):
    def __init__(self, world: World) -> None:
        self.world = world

    async def Import(self, request: HttpBody, context: Any) -> HttpBody:
        await self.world.serve("Import", request)
        return await answer(context, status=202, body=request.data, headers={"idempotent-replayed": "true"})

    async def GetImport(self, request: Any, context: Any) -> HttpBody:
        await self.world.serve("GetImport", request)
        return await answer(context, body=request.job_id.encode())

    async def GetHealth(self, request: Any, context: Any) -> HttpBody:
        return await answer(context, body=b"healthy")

    async def GetReadiness(self, request: Any, context: Any) -> HttpBody:
        current_caller()
        return await answer(context, body=b"")


class TypedServicer(ingestion_service_pb2_grpc.IngestionServiceServicer):
    def __init__(self, world: World) -> None:
        self.world = world

    async def ImportContacts(self, request: Any, context: Any) -> Any:
        await self.world.serve("ImportContacts", request)
        return ingestion_service_pb2.ImportContactsResponse(job_id="1")

    async def GetJob(self, request: Any, context: Any) -> Any:
        given = await self.world.serve("GetJob", request)
        return given or ingestion_service_pb2.GetJobResponse(job=job_pb2.Job(job_id=request.job_id))

    async def RetryJob(self, request: Any, context: Any) -> Any:
        await self.world.serve("RetryJob", request)
        return ingestion_service_pb2.RetryJobResponse(retried_rows=1)

    async def ImportContactStream(self, requests: AsyncIterator[Any], context: Any) -> Any:
        total = 0
        async for request in requests:
            await self.world.serve("ImportContactStream", request)
            total += len(request.contacts)
        accepted = ingestion_service_pb2.ImportContactsResponse(total_contacts=total)
        return ingestion_service_pb2.ImportContactStreamResponse(accepted=accepted)

    async def WatchJob(self, request: Any, context: Any) -> AsyncIterator[Any]:
        for place in range(3):
            await self.world.serve("WatchJob", place)
            yield ingestion_service_pb2.WatchJobResponse(job=job_pb2.Job(job_id=str(place)))

    async def FetchChunks(self, request: Any, context: Any) -> Any:
        await self.world.serve("FetchChunks", request)
        return ingestion_service_pb2.FetchChunksResponse()

    async def RecordOutcomes(self, request: Any, context: Any) -> Any:
        return "not a message"


class InternalServicer(idempotency_service_pb2_grpc.IdempotencyServiceServicer):
    def __init__(self, world: World) -> None:
        self.world = world

    async def ReleaseMany(self, request: Any, context: Any) -> Any:
        self.world.seconds_left.append(CURRENT_CALL.get().seconds_left())
        await self.world.serve("ReleaseMany", request)
        return idempotency_service_pb2.ReleaseManyResponse(released=[True] * len(request.items))


class AccessServicer(access_service_pb2_grpc.AccessServiceServicer):
    def __init__(self, world: World) -> None:
        self.world = world

    async def AuthenticateMany(self, request: Any, context: Any) -> Any:
        results = await self.world.serve("AuthenticateMany", request)
        return access_service_pb2.AuthenticateManyResponse(results=results)

    async def CreateClient(self, request: Any, context: Any) -> Any:
        await self.world.serve("CreateClient", request)
        return access_service_pb2.CreateClientResponse()


class ConnectServicer(connect_api_pb2_grpc.ConnectApiServicer):
    def __init__(self, world: World) -> None:
        self.world = world

    async def CreateConnectContact(self, request: HttpBody, context: Any) -> HttpBody:
        await self.world.serve("CreateConnectContact", request)
        return await answer(context, body=request.data)

    async def ListConnectContacts(self, request: Any, context: Any) -> AsyncIterator[HttpBody]:
        await self.world.serve("ListConnectContacts", request)
        yield HttpBody(data=b"[]")


class SourceServicer(contact_source_api_pb2_grpc.ContactSourceApiServicer):
    def __init__(self, world: World) -> None:
        self.world = world

    async def GetSourceToken(self, request: Any, context: Any) -> HttpBody:
        await self.world.serve("GetSourceToken", request)
        return await answer(context, body=b"{}")

    async def ListSourceContacts(self, request: Any, context: Any) -> HttpBody:
        await self.world.serve("ListSourceContacts", request)
        return await answer(context, body=b"{}")


class SyncServicer(sync_api_pb2_grpc.SyncApiServicer):
    def __init__(self, world: World) -> None:
        self.world = world

    async def GetLead(self, request: Any, context: Any) -> HttpBody:
        await self.world.serve("GetLead", request)
        return await answer(context, body=b"{}")


def make_server(world: World, **settings: Any) -> RpcServer:
    registrations = [
        _registration(world, import_api_pb2, import_api_pb2_grpc, "ImportApi", RestServicer),
        _registration(world, ingestion_service_pb2, ingestion_service_pb2_grpc, "IngestionService", TypedServicer),
        _registration(
            world, idempotency_service_pb2, idempotency_service_pb2_grpc, "IdempotencyService", InternalServicer
        ),
        _registration(world, access_service_pb2, access_service_pb2_grpc, "AccessService", AccessServicer),
        _registration(world, connect_api_pb2, connect_api_pb2_grpc, "ConnectApi", ConnectServicer),
        _registration(world, contact_source_api_pb2, contact_source_api_pb2_grpc, "ContactSourceApi", SourceServicer),
        _registration(world, sync_api_pb2, sync_api_pb2_grpc, "SyncApi", SyncServicer),
    ]
    settings.setdefault("grace", timedelta(seconds=1))
    listen, ready = settings.pop("listen", "127.0.0.1:0"), settings.pop("ready", _ready)
    return RpcServer(RpcSettings(listen=listen, **settings), registrations, door=world.door(), ready=ready)


def _registration(world: World, module: Any, generated: Any, name: str, servicer: Any) -> Registration:
    add = getattr(generated, f"add_{name}Servicer_to_server")
    return Registration(module.DESCRIPTOR.services_by_name[name], add, servicer(world))


async def _ready() -> None:
    return None


@asynccontextmanager
async def serving(world: World, **settings: Any) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to a server over this world."""
    server = make_server(world, **settings)
    await server.start()
    world.port = server.port
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield channel
    await server.stop()


@dataclass(frozen=True)
class Heard:
    """What a call came to."""

    code: grpc.StatusCode
    response: Any
    initial: dict[str, Any]
    trailing: dict[str, Any]
    details: str

    @property
    def status(self) -> str:
        """The HTTP status that the gateway would write."""
        return str({**self.trailing, **self.initial}.get("x-http-status", "200"))


async def hear(method: Any, request: Any, *metadata: tuple[str, str]) -> Heard:
    """Calls a unary method and takes whatever comes."""
    call = method(request, metadata=metadata, timeout=20)
    try:
        response = await call
    except grpc.aio.AioRpcError:
        response = None
    except asyncio.CancelledError:
        response = None
    return Heard(
        await call.code(),
        response,
        {str(key): value for key, value in await call.initial_metadata()},
        {str(key): value for key, value in await call.trailing_metadata()},
        await call.details() or "",
    )


def bearer(key: str = "good") -> tuple[str, str]:
    return ("authorization", f"Bearer {key}")


def service(name: str, key: bytes = KEY) -> tuple[str, str]:
    return ("x-contactsync-service", Identity(name, key).token("ingestion"))
