"""Runs ingestion: `python -m services.ingestion.main`."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from contactsync.ingestion.v1 import import_api_pb2, ingestion_service_pb2
from contactsync.ingestion.v1.import_api_pb2_grpc import add_ImportApiServicer_to_server
from contactsync.ingestion.v1.ingestion_service_pb2_grpc import add_IngestionServiceServicer_to_server
from pydantic import ValidationError

from libs.bus import DELIVERY_TICKET, Bus, JetStreamBus
from libs.rpc import Door, Identity, Peer, Registration, RpcServer, RpcSettings, remote_authenticator
from libs.storage import Database, StorageError, open_database
from libs.telemetry import Telemetry, configure_telemetry
from services.ingestion.handler.delivering import RetryJobs, ServeDelivery
from services.ingestion.handler.following import FollowJobs
from services.ingestion.handler.importing import ImportContacts
from services.ingestion.peers.idempotency import RpcKeys
from services.ingestion.peers.normalization import RpcNormalizer
from services.ingestion.publisher.changes import LocalChanges
from services.ingestion.publisher.relay import Relay
from services.ingestion.publisher.sweeper import Sweeper
from services.ingestion.rest import answers
from services.ingestion.rest.api import ImportApi
from services.ingestion.server.service import IngestionServicer
from services.ingestion.settings import Settings
from services.ingestion.store.sql import MIGRATIONS, SqlStore
from services.ingestion.wire.contacts_json import phones_of

SERVICE = "ingestion"


def main() -> None:
    """Serve until SIGTERM or SIGINT. What keeps it from starting is told in one line on standard error, exit code 1."""
    try:
        asyncio.run(serve(Settings.model_validate({})))
    except ValidationError as error:
        missing = ", ".join(f"CONTACTSYNC_{fault['loc'][0]}".upper() for fault in error.errors())
        sys.exit(f"ingestion cannot start: these settings are missing or not valid: {missing}")
    except (StorageError, OSError, ValueError) as error:
        sys.exit(f"ingestion cannot start: {error}")


async def serve(settings: Settings) -> None:
    """Put everything together, run, and close it in reverse."""
    async with running(settings) as server:
        await server.run()


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[RpcServer]:
    """Give a server that is put together and not yet started; what it stands on is closed behind it."""
    identity = Identity(SERVICE, _service_key(settings.service_key_file))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(_configure_telemetry(settings).close)
        database = await open_database(settings.database_url, migrations=MIGRATIONS)
        stack.push_async_callback(database.close)
        bus = await JetStreamBus.open(settings.nats_url, name=SERVICE)
        stack.push_async_callback(bus.close)
        store = SqlStore(database, phones_of=phones_of, patience=settings.overdue_after)
        relay = await _publishing(stack, settings, store, bus)
        addresses = (settings.access_address, settings.idempotency_address, settings.normalization_address)
        peers = [Peer(address, identity=identity) for address in addresses]
        for peer in peers:
            stack.push_async_callback(peer.close)
        yield _server(settings, store, database, relay, identity, *peers)


def _service_key(file: Path) -> bytes:
    try:
        return bytes.fromhex(file.read_text().strip())
    except ValueError:
        raise ValueError(f"CONTACTSYNC_SERVICE_KEY_FILE is not a key in hex: {file}") from None


def _configure_telemetry(settings: Settings) -> Telemetry:
    return configure_telemetry(
        service=SERVICE,
        otlp_endpoint=settings.otlp_endpoint,
        level=settings.log_level,
        trace_rate=settings.trace_rate,
        trace_ratio=settings.trace_ratio,
    )


async def _publishing(stack: AsyncExitStack, settings: Settings, store: SqlStore, bus: Bus) -> Relay:
    """The relay at work, with its sweeper."""
    relay = Relay(bus=bus, subject=DELIVERY_TICKET, outbox=store, clock=_now, patience=settings.overdue_after)
    sweeper = Sweeper(outbox=store, relay=relay, clock=_now, interval=settings.sweep_interval)
    stack.push_async_callback(relay.close)
    for work in (relay.run(), sweeper.run()):
        stack.push_async_callback(_stop, asyncio.create_task(work))
    return relay


async def _stop(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _server(
    settings: Settings,
    store: SqlStore,
    database: Database,
    relay: Relay,
    identity: Identity,
    access: Peer,
    idempotency: Peer,
    normalization: Peer,
) -> RpcServer:
    changes = LocalChanges()
    imports = ImportContacts(
        keys=RpcKeys(idempotency),
        normalizer=RpcNormalizer(normalization),
        jobs=store,
        announcer=relay,
        clock=_now,
        answer=answers.accepted,
    )
    follow = FollowJobs(jobs=store, contents=store, changes=changes)
    retries = RetryJobs(follow=follow, outcomes=store, announcer=relay, changes=changes, clock=_now)
    delivery = ServeDelivery(contents=store, outcomes=store, announcer=relay, changes=changes, clock=_now)
    typed = IngestionServicer(imports=imports, follow=follow, retries=retries, delivery=delivery)
    rest = ImportApi(imports=imports, follow=follow, check=database.check, clock=_now, version=version("contactsync"))
    services = {
        **ingestion_service_pb2.DESCRIPTOR.services_by_name,
        **import_api_pb2.DESCRIPTOR.services_by_name,
    }
    return RpcServer(
        RpcSettings(listen=settings.listen),
        [
            Registration(services["IngestionService"], add_IngestionServiceServicer_to_server, typed),
            Registration(services["ImportApi"], add_ImportApiServicer_to_server, rest),
        ],
        door=Door(identity=identity, authenticate=remote_authenticator(access)),
        ready=database.check,
    )


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    main()
