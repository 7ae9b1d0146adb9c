"""Runs ingestion: `python -m services.ingestion.main`."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from contactsync.ingestion.v1 import import_api_pb2, ingestion_service_pb2
from contactsync.ingestion.v1.import_api_pb2_grpc import add_ImportApiServicer_to_server
from contactsync.ingestion.v1.ingestion_service_pb2_grpc import add_IngestionServiceServicer_to_server

from libs.bus import DELIVERY_TICKET, Bus, JetStreamBus
from libs.measures import Measures
from libs.process import run_process
from libs.rpc import Door, Identity, Peer, Registration, RpcServer, RpcSettings, Tls, remote_authenticator
from libs.storage import REFUSALS, make_database, open_database
from libs.telemetry import configure_telemetry
from libs.telemetry.metrics import telling
from services.ingestion.counting import CountedJobs, OutboxNumbers
from services.ingestion.handler.activity import TellActivity
from services.ingestion.handler.delivering import RedeliverRows, RetryJobs, ServeDelivery
from services.ingestion.handler.erasing import EraseContacts
from services.ingestion.handler.following import FollowJobs
from services.ingestion.handler.importing import ImportContacts
from services.ingestion.handler.looking import LookForJobs
from services.ingestion.peers.delivery import RpcTries
from services.ingestion.peers.directory import RpcBook
from services.ingestion.peers.idempotency import RpcKeys
from services.ingestion.peers.normalization import RpcNormalizer
from services.ingestion.ports.erasing import Book, Tries
from services.ingestion.ports.peers import Keys, Normalizer
from services.ingestion.publisher.changes import LocalChanges
from services.ingestion.publisher.relay import Relay
from services.ingestion.publisher.sweeper import Sweeper
from services.ingestion.rest import answers
from services.ingestion.rest.api import ImportApi
from services.ingestion.scheduler import ErasureScheduler
from services.ingestion.server.service import IngestionServicer
from services.ingestion.settings import Settings
from services.ingestion.store.erasing import SqlErasures
from services.ingestion.store.memory import MemoryStore
from services.ingestion.store.memory_erasing import MemoryErasures
from services.ingestion.store.sql import MIGRATIONS, SqlStore
from services.ingestion.wire.contacts_json import phones_of
from services.ingestion.wire.persons import WrittenContacts

SERVICE = "ingestion"


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    run_process(
        SERVICE,
        Settings,
        serve,
        refusals=REFUSALS,
        before=lambda settings: make_database(settings.database_url, migrations=MIGRATIONS),
    )


async def serve(settings: Settings) -> None:
    """Put everything together, run, and close it in reverse."""
    async with running(settings) as server:
        await server.run()


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[RpcServer]:
    """Give a server that is put together and not yet started; what it stands on is closed behind it."""
    identity = Identity(SERVICE, settings.read_service_key(), tls=Tls(settings.tls_files()))
    async with AsyncExitStack() as stack:
        telemetry = configure_telemetry(service=SERVICE, **settings.telemetry())
        stack.push_async_callback(telemetry.close)
        database = await open_database(settings.database_url, migrations=MIGRATIONS)
        stack.push_async_callback(database.close)
        bus = await JetStreamBus.open(settings.nats_url, name=SERVICE, replicas=settings.nats_replicas)
        stack.push_async_callback(bus.close)
        store = SqlStore(database, phones_of=phones_of, patience=settings.overdue_after)
        relay = publishing(settings, store, bus)
        erasures = SqlErasures(database, text=WrittenContacts())
        access, idempotency, normalization, directory, delivery = (
            _peer(stack, service, address, identity) for service, address in settings.peer_addresses().items()
        )
        handlers = compose(
            store,
            relay,
            erasures,
            keys=RpcKeys(idempotency, identity=identity),
            normalizer=RpcNormalizer(normalization),
            book=RpcBook(directory),
            tries=RpcTries(delivery),
        )
        server = RpcServer(
            RpcSettings(
                listen=settings.listen,
                linger=settings.linger,
                tls=identity.tls,
                bytes_at_once=settings.bytes_at_once,
            ),
            registrations(handlers, check=database.check),
            door=Door(
                identity=identity, authenticate=remote_authenticator(access), gateways=settings.gateway_networks()
            ),
            ready=database.check,
        )
        sweeper = Sweeper(outbox=store, relay=relay, clock=_now, interval=settings.sweep_interval)
        work = {"relay": relay.run, "sweeper": sweeper.run, "erasures": ErasureScheduler(handlers.erase).run}
        stack.push_async_callback(relay.close)
        await stack.enter_async_context(_working(server, work))
        outbox = OutboxNumbers(store, clock=_now)
        parts = (telemetry, server, database, bus, handlers, outbox)
        told = (each.measures for each in parts)
        await stack.enter_async_context(telling(SERVICE, *told, **settings.metrics()))
        yield server


def _peer(stack: AsyncExitStack, service: str, address: str, identity: Identity) -> Peer:
    peer = Peer(address, identity=identity, callee=identity.tls.to(service))
    stack.push_async_callback(peer.close)
    return peer


def publishing(settings: Settings, store: SqlStore, bus: Bus) -> Relay:
    """The relay, not yet at work."""
    return Relay(bus=bus, subject=DELIVERY_TICKET, outbox=store, clock=_now, patience=settings.overdue_after)


@asynccontextmanager
async def _working(
    server: RpcServer, runs: Mapping[str, Callable[[], Coroutine[Any, Any, None]]]
) -> AsyncIterator[None]:
    """Runs all of them meanwhile; a fault of any ends the server, and is raised."""
    work = [asyncio.create_task(run(), name=name) for name, run in runs.items()]
    for task in work:
        task.add_done_callback(lambda _: server.stopping.set())
    try:
        yield
    finally:
        ended = [task for task in work if task.done()]
        for task in work:
            task.cancel()
        await asyncio.wait(work)
    for task in ended:
        task.result()


@dataclass(frozen=True, slots=True)
class Handlers:
    """Every use case, and what is counted of them."""

    imports: ImportContacts
    follow: FollowJobs
    look: LookForJobs
    activity: TellActivity
    retries: RetryJobs
    delivery: ServeDelivery
    redeliveries: RedeliverRows
    erase: EraseContacts
    measures: Measures


def compose(
    store: SqlStore | MemoryStore,
    relay: Relay,
    erasures: SqlErasures | MemoryErasures,
    *,
    keys: Keys,
    normalizer: Normalizer,
    book: Book,
    tries: Tries,
) -> Handlers:
    """The use cases over a store."""
    changes, jobs = LocalChanges(), CountedJobs(store)
    imports = ImportContacts(
        keys=keys, normalizer=normalizer, jobs=jobs, announcer=relay, clock=_now, answer=answers.accepted
    )
    follow = FollowJobs(jobs=store, contents=store, changes=changes)
    look = LookForJobs(jobs=store, contents=store, normalizer=normalizer)
    activity = TellActivity(activity=store, outbox=store, clock=_now)
    retries = RetryJobs(follow=follow, outcomes=store, announcer=relay, changes=changes, clock=_now)
    delivery = ServeDelivery(contents=store, outcomes=store, announcer=relay, changes=changes, clock=_now)
    redeliveries = RedeliverRows(redeliveries=store, announcer=relay, changes=changes, clock=_now)
    erase = EraseContacts(
        erasures=erasures,
        eraser=erasures,
        normalizer=normalizer,
        book=book,
        tries=tries,
        changes=changes,
        clock=_now,
        new_id=lambda: str(uuid.uuid4()),
    )
    return Handlers(imports, follow, look, activity, retries, delivery, redeliveries, erase, jobs.measures)


def registrations(handlers: Handlers, *, check: Callable[[], Awaitable[None]]) -> Sequence[Registration]:
    """Both entrances: typed gRPC and REST."""
    typed = IngestionServicer(
        imports=handlers.imports,
        follow=handlers.follow,
        look=handlers.look,
        activity=handlers.activity,
        retries=handlers.retries,
        delivery=handlers.delivery,
        redeliveries=handlers.redeliveries,
    )
    rest = ImportApi(
        imports=handlers.imports,
        follow=handlers.follow,
        retries=handlers.retries,
        erase=handlers.erase,
        check=check,
        clock=_now,
        version=version("contactsync"),
    )
    services = ingestion_service_pb2.DESCRIPTOR.services_by_name, import_api_pb2.DESCRIPTOR.services_by_name
    return (
        Registration(services[0]["IngestionService"], add_IngestionServiceServicer_to_server, typed),
        Registration(services[1]["ImportApi"], add_ImportApiServicer_to_server, rest),
    )


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    main()
