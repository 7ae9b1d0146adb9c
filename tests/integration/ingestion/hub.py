"""Ingestion on a real channel, with real idempotency and normalization behind it, and the bus in memory."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
from contactsync.delivery.v1.ticket_pb2 import DeliveryTicket
from contactsync.ingestion.v1.import_api_pb2 import GetImportRequest
from contactsync.ingestion.v1.import_api_pb2_grpc import ImportApiStub
from contactsync.ingestion.v1.ingestion_service_pb2_grpc import IngestionServiceStub
from contactsync.normalization.v1 import normalization_service_pb2
from contactsync.normalization.v1.normalization_service_pb2_grpc import add_NormalizationServiceServicer_to_server
from google.api.httpbody_pb2 import HttpBody

from libs.bus import DELIVERY, Ack, MemoryBus, Message, Verdict
from libs.rpc import ClientCaller, ClientId, Door, Identity, Peer, Registration, RpcServer, RpcSettings, Scope
from services.idempotency import main as idempotency
from services.idempotency.settings import Settings as IdempotencySettings
from services.idempotency.store.sql import MIGRATIONS as KEY_MIGRATIONS
from services.ingestion import main as ingestion
from services.ingestion.peers.idempotency import RpcKeys
from services.ingestion.peers.memory import MemoryBook, MemoryTries
from services.ingestion.peers.normalization import RpcNormalizer
from services.ingestion.settings import Settings
from services.ingestion.store.erasing import SqlErasures
from services.ingestion.store.sql import MIGRATIONS, SqlStore
from services.ingestion.wire.contacts_json import phones_of
from services.ingestion.wire.persons import WrittenContacts
from services.normalization.emails import LibraryEmails
from services.normalization.handler import Normalizer
from services.normalization.phones.compiled import CompiledPhones
from services.normalization.phones.library import LibraryPhones
from services.normalization.server import NormalizationServer
from tests.fixtures.databases import OpenFresh
from tests.fixtures.waiting import PATIENCE_SECONDS

SERVICE_KEY = bytes(range(32))
CLIENTS = {
    name: ClientCaller(ClientId(name), frozenset(scopes), rate=1000.0)
    for name, scopes in {
        "shop": {Scope.IMPORT, Scope.READ},
        "other": {Scope.IMPORT, Scope.READ},
        "admin": {Scope.ADMIN},
    }.items()
}


async def authenticate(key: str) -> ClientCaller | None:
    return CLIENTS.get(key)


@dataclass
class Answered:
    """An answer over REST: what Envoy would make of it."""

    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Hub:
    def __init__(self, channel: grpc.aio.Channel, delivery: Peer, bus: MemoryBus, address: str) -> None:
        self.rest = ImportApiStub(channel)
        self.typed = IngestionServiceStub(channel)
        self.delivery = delivery
        self.as_delivery = IngestionServiceStub(delivery.channel)
        self.bus = bus
        self.address = address

    async def post(
        self, body: object, *, client: str = "shop", content_type: str = "application/json", **headers: str
    ) -> Answered:
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        metadata = [*by(client), *((name.replace("_", "-"), value) for name, value in headers.items())]
        return await answered(self.rest.Import(HttpBody(content_type=content_type, data=raw), metadata=metadata))

    async def get(self, job_id: str, *, client: str = "shop") -> Answered:
        return await answered(self.rest.GetImport(GetImportRequest(job_id=job_id), metadata=by(client)))

    async def ticket(self) -> DeliveryTicket:
        """The next ticket."""
        taken: asyncio.Queue[bytes] = asyncio.Queue()

        async def take(message: Message) -> Verdict:
            taken.put_nowait(message.payload)
            return Ack()

        work = asyncio.create_task(self.bus.consume(DELIVERY.name, "test", take, in_flight=1))
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return DeliveryTicket.FromString(await taken.get())
        finally:
            work.cancel()
            await asyncio.wait([work])


def by(client: str) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {client}")]


async def answered(call: Any) -> Answered:
    body = await call
    headers = dict(await call.initial_metadata())
    return Answered(int(headers.get("x-http-status", 200)), body.data, headers)


@asynccontextmanager
async def running(open_fresh: OpenFresh, folder: Path) -> AsyncIterator[Hub]:
    key_file = folder / "service.key"
    key_file.write_text(SERVICE_KEY.hex())
    given: dict[str, Any] = {"service_key_file": key_file, "database_url": "unused", "nats_url": "unused"}
    identity = Identity("ingestion", SERVICE_KEY)
    async with AsyncExitStack() as stack:
        limits: dict[str, Any] = {"service_key_file": key_file, "database_url": "unused"}
        keys = idempotency.compose(IdempotencySettings(**limits), await open_fresh(KEY_MIGRATIONS))
        peers = [
            Peer(
                await _serve(
                    stack, "idempotency", idempotency.registrations(keys, Identity("idempotency", SERVICE_KEY))
                ),
                identity=identity,
            ),
            Peer(await _serve(stack, "normalization", [_normalization()]), identity=identity),
        ]
        database = await open_fresh(MIGRATIONS)
        store = SqlStore(database, phones_of=phones_of, patience=timedelta(seconds=30))
        bus = MemoryBus()
        relay = ingestion.publishing(Settings(**given), store, bus)
        handlers = ingestion.compose(
            store,
            relay,
            SqlErasures(database, text=WrittenContacts()),
            keys=RpcKeys(peers[0], identity=identity),
            normalizer=RpcNormalizer(peers[1]),
            book=MemoryBook(),
            tries=MemoryTries(),
        )
        work = asyncio.create_task(relay.run())
        entrances = ingestion.registrations(handlers, check=database.check)
        address = await _serve(stack, "ingestion", entrances)
        delivery = Peer(address, identity=Identity("delivery", SERVICE_KEY))
        async with grpc.aio.insecure_channel(address) as channel:
            yield Hub(channel, delivery, bus, address)
        work.cancel()
        await asyncio.wait([work])
        await relay.close()
        for peer in (*peers, delivery):
            await peer.close()


async def _serve(stack: AsyncExitStack, name: str, registrations: Any) -> str:
    door = Door(identity=Identity(name, SERVICE_KEY), authenticate=authenticate)
    server = RpcServer(RpcSettings(listen="127.0.0.1:0"), list(registrations), door=door)
    await server.start()
    stack.push_async_callback(server.stop)
    return f"127.0.0.1:{server.port}"


def _normalization() -> Registration:
    servicer = NormalizationServer(Normalizer(phones=CompiledPhones(LibraryPhones()), emails=LibraryEmails()))
    service = normalization_service_pb2.DESCRIPTOR.services_by_name["NormalizationService"]
    return Registration(service, add_NormalizationServiceServicer_to_server, servicer)
