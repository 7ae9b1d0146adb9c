"""Delivery whole, on a real bus and database, between an ingestion, a contact book and an access that are fakes."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from contactsync.access.v1 import access_service_pb2, access_service_pb2_grpc, client_pb2
from contactsync.delivery.v1.delivery_service_pb2_grpc import DeliveryServiceStub
from contactsync.delivery.v1.ticket_pb2 import DeliveryRef, DeliveryTicket
from contactsync.directory.v1 import directory_service_pb2, directory_service_pb2_grpc
from contactsync.ingestion.v1 import ingestion_service_pb2, ingestion_service_pb2_grpc
from contactsync.policy.v1 import policy_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from typing_extensions import override

from libs.bus import DELIVERY_TICKET, JetStreamBus
from libs.rpc import Door, Identity, Refusal, Registration, RpcServer, RpcSettings
from services.delivery.main import Running, running
from services.delivery.settings import Settings
from tests.fixtures.databases import Databases
from tests.fixtures.nats import NatsServer
from tests.fixtures.waiting import PATIENCE_SECONDS

SERVICE_KEY = b"s" * 32
CONTACTS = b'[{"phone":"+79001234567","tags":[],"additionalFields":{}}]'


class FakeIngestion(ingestion_service_pb2_grpc.IngestionServiceServicer):
    """Has every chunk that is asked for, unless told otherwise, and keeps the outcomes."""

    def __init__(self) -> None:
        self.outcomes: list[ingestion_service_pb2.DeliveryOutcome] = []
        self.fetched: list[list[str]] = []
        self.unknown: set[str] = set()
        self.refused: set[str] = set()
        self.most = 64
        self.contacts = CONTACTS
        """Of every chunk."""
        self.told = asyncio.Condition()

    @override
    async def FetchChunks(self, request: Any, context: Any) -> Any:
        self.fetched.append([*request.chunk_ids])
        return ingestion_service_pb2.FetchChunksResponse(
            chunks=[self._chunk(chunk_id) for chunk_id in request.chunk_ids[: self.most]]
        )

    @override
    async def RecordOutcomes(self, request: Any, context: Any) -> Any:
        if any(outcome.chunk_id in self.refused for outcome in request.outcomes):
            raise Refusal("VALIDATION_ERROR", "No.")
        async with self.told:
            self.outcomes.extend(request.outcomes)
            self.told.notify_all()
        return ingestion_service_pb2.RecordOutcomesResponse()

    async def wait_for(self, condition: Callable[[], bool], *, seconds: float = PATIENCE_SECONDS) -> None:
        async with asyncio.timeout(seconds), self.told:
            await self.told.wait_for(condition)

    async def wait_for_finals(self, count: int) -> list[ingestion_service_pb2.DeliveryOutcome]:
        await self.wait_for(lambda: len(self.finals) >= count)
        return self.finals

    @property
    def finals(self) -> list[ingestion_service_pb2.DeliveryOutcome]:
        return [outcome for outcome in self.outcomes if outcome.final]

    def _chunk(self, chunk_id: str) -> ingestion_service_pb2.Chunk:
        if chunk_id in self.unknown:
            return ingestion_service_pb2.Chunk()
        return ingestion_service_pb2.Chunk(
            chunk_id=chunk_id,
            client_id="default",
            size=len(json.loads(self.contacts)),
            contacts_json=self.contacts,
            correlation_id="corr-1",
            created_at=Timestamp(seconds=1_760_000_000),
        )


class FakeBook(directory_service_pb2_grpc.DirectoryServiceServicer):
    """Takes each delivery once. `poison` refuses the whole call that holds it."""

    def __init__(self) -> None:
        self.applied: dict[str, directory_service_pb2.ApplyItem] = {}
        self.calls: list[int] = []
        self.poison: set[str] = set()

    @override
    async def ApplyMany(self, request: Any, context: Any) -> Any:
        self.calls.append(len(request.items))
        if any(item.delivery_id in self.poison for item in request.items):
            raise Refusal("VALIDATION_ERROR", "No.")
        for item in request.items:
            self.applied.setdefault(item.delivery_id, item)
        results = [directory_service_pb2.ApplyResult(row_states=b"\x03") for _ in request.items]
        return directory_service_pb2.ApplyManyResponse(results=results)


class FakeAccess(access_service_pb2_grpc.AccessServiceServicer):
    """Knows the keys "admin" and "partner"."""

    @override
    async def AuthenticateMany(self, request: Any, context: Any) -> Any:
        scopes = {"admin": policy_pb2.SCOPE_ADMIN, "partner": policy_pb2.SCOPE_IMPORT}
        results = [
            access_service_pb2.AuthenticateResult(
                client=client_pb2.Client(
                    id=key, enabled=True, settings=client_pb2.ClientSettings(scopes=[scopes[key]], rate=1000)
                )
            )
            if key in scopes
            else access_service_pb2.AuthenticateResult()
            for key in request.keys
        ]
        return access_service_pb2.AuthenticateManyResponse(results=results)


@dataclass
class Hub:
    """The fakes, and what starts delivery between them."""

    settings: Settings
    nats: NatsServer
    bus: JetStreamBus
    ingestion: FakeIngestion
    book: FakeBook
    _tickets: int = field(default=0)

    @asynccontextmanager
    async def delivering(self) -> AsyncIterator[Running]:
        """Delivery as it runs in its process."""
        async with running(self.settings) as service:
            run = asyncio.create_task(service.run())
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    while not service.server.port:
                        await asyncio.sleep(0)
                        assert not run.done(), run.result()
                yield service
            finally:
                service.server.stopping.set()
                await run

    def environment(self, **changes: object) -> dict[str, str]:
        """For delivery in a process of its own."""
        values = {**self.settings.model_dump(exclude_none=True), **changes}
        return {**os.environ, **{f"CONTACTSYNC_{name.upper()}": str(value) for name, value in values.items()}}

    async def ticket(self, *refs: tuple[str, str]) -> None:
        """Publish one ticket of (chunk id, destination id)."""
        self._tickets += 1
        deliveries = [
            DeliveryRef(chunk_id=chunk_id, destination_id=destination_id, correlation_id="corr-1")
            for chunk_id, destination_id in refs
        ]
        payload = DeliveryTicket(deliveries=deliveries).SerializeToString()
        await self.bus.publish(DELIVERY_TICKET, payload, message_id=f"t{self._tickets}")

    async def ask(self, service: Running, method: str, request: Any, *, key: str | None = "admin") -> Any:
        """Call delivery as an API client."""
        metadata = () if key is None else (("authorization", f"Bearer {key}"),)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{service.server.port}") as channel:
            call: Callable[..., Awaitable[Any]] = getattr(DeliveryServiceStub(channel), method)
            return await call(request, metadata=metadata, timeout=60)


@asynccontextmanager
async def open_hub(
    folder: Path, nats: NatsServer, databases: Databases, *, database: str = "sqlite"
) -> AsyncIterator[Hub]:
    ingestion = FakeIngestion()  # type: ignore[abstract]  # generated code gives the methods that no test needs
    book = FakeBook()  # type: ignore[abstract]  # as above
    access = FakeAccess()  # type: ignore[abstract]  # as above
    async with AsyncExitStack() as stack:
        addresses = [
            await _serve(stack, "ingestion", ingestion_service_pb2, ingestion_service_pb2_grpc, ingestion),
            await _serve(stack, "directory", directory_service_pb2, directory_service_pb2_grpc, book),
            await _serve(stack, "access", access_service_pb2, access_service_pb2_grpc, access),
        ]
        bus = await JetStreamBus.open(nats.url)
        stack.push_async_callback(bus.close)
        yield Hub(_settings(folder, nats, databases.url(database), addresses), nats, bus, ingestion, book)


async def _serve(stack: AsyncExitStack, name: str, messages: Any, methods: Any, servicer: object) -> str:
    async def nobody(_: str) -> None:
        return None

    service = f"{name.capitalize()}Service"
    registration = Registration(
        messages.DESCRIPTOR.services_by_name[service], getattr(methods, f"add_{service}Servicer_to_server"), servicer
    )
    server = RpcServer(
        RpcSettings(listen="127.0.0.1:0"),
        [registration],
        door=Door(identity=Identity(name, SERVICE_KEY), authenticate=nobody),
    )
    await server.start()
    stack.push_async_callback(server.stop)
    return f"127.0.0.1:{server.port}"


def _settings(folder: Path, nats: NatsServer, database_url: str, addresses: list[str]) -> Settings:
    ingestion, directory, access = addresses
    (folder / "service.key").write_text(SERVICE_KEY.hex())
    (folder / "master.key").write_text((b"m" * 32).hex())
    return Settings(
        listen="127.0.0.1:0",
        database_url=database_url,
        nats_url=nats.url,
        service_key_file=folder / "service.key",
        master_key_file=folder / "master.key",
        access_address=access,
        ingestion_address=ingestion,
        directory_address=directory,
        egress_allow="127.0.0.0/8",
    )
