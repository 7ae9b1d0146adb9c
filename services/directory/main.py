"""Runs directory: `python -m services.directory.main`."""

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from contactsync.directory.v1 import (
    async_api_pb2,
    async_api_pb2_grpc,
    directory_service_pb2,
    sync_api_pb2,
    sync_api_pb2_grpc,
)
from contactsync.directory.v1.directory_service_pb2_grpc import add_DirectoryServiceServicer_to_server

from libs.process import run_process
from libs.rpc import Door, Identity, Peer, Registration, RpcServer, RpcSettings, remote_authenticator
from libs.storage import CorruptDatabaseError, NewerDatabaseError, open_database
from libs.telemetry import configure_telemetry
from services.directory.handler import Directory
from services.directory.scheduler import forget_old_deliveries
from services.directory.server import DirectoryServicer
from services.directory.settings import Settings
from services.directory.store.stores import Stores, sql_stores

SERVICE: Final = "directory"
MIGRATIONS: Final = Path(__file__).parent / "migrations"
_FORGETS_EVERY: Final = timedelta(hours=1)


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    run_process(SERVICE, Settings, serve, refusals=(CorruptDatabaseError, NewerDatabaseError))


async def serve(settings: Settings) -> None:
    """Put everything together, run, and close it in reverse."""
    async with running(settings) as server:
        await server.run()


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[RpcServer]:
    """Give a server that is put together and not yet started; its database is closed behind it."""
    identity = Identity(SERVICE, settings.read_service_key())
    async with AsyncExitStack() as stack:
        stack.push_async_callback(configure_telemetry(service=SERVICE, **settings.telemetry()).close)
        database = await open_database(settings.database_url, migrations=MIGRATIONS)
        stack.push_async_callback(database.close)
        access = Peer(settings.access_address, identity=identity)
        stack.push_async_callback(access.close)
        stores = await sql_stores(database, clock=_now)
        directory = compose(stores)
        await stack.enter_async_context(
            forget_old_deliveries(directory, older_than=settings.delivery_memory, every=_FORGETS_EVERY)
        )
        door = Door(identity=identity, authenticate=remote_authenticator(access), gateways=settings.gateway_networks())
        listening = RpcSettings(listen=settings.listen)
        yield RpcServer(listening, [registration(directory), *telecrm_registrations()], door=door, ready=database.check)


def compose(stores: Stores) -> Directory:
    """Give the book as a destination."""
    book = stores.book
    return Directory(
        deliveries=book,
        contacts=book,
        count=book,
        workspaces=stores.workspaces,
        clock=_now,
        entropy=secrets.token_bytes,
    )


def registration(directory: Directory) -> Registration:
    """Give the typed service over it."""
    descriptor = directory_service_pb2.DESCRIPTOR.services_by_name["DirectoryService"]
    return Registration(descriptor, add_DirectoryServiceServicer_to_server, DirectoryServicer(directory))


def telecrm_registrations() -> list[Registration]:
    """Give the telecrm APIs."""
    sync = sync_api_pb2.DESCRIPTOR.services_by_name["SyncApi"]
    later = async_api_pb2.DESCRIPTOR.services_by_name["AsyncApi"]
    return [
        Registration(sync, sync_api_pb2_grpc.add_SyncApiServicer_to_server, sync_api_pb2_grpc.SyncApiServicer()),  # type: ignore[abstract]  # until its methods are here
        Registration(later, async_api_pb2_grpc.add_AsyncApiServicer_to_server, async_api_pb2_grpc.AsyncApiServicer()),  # type: ignore[abstract]  # likewise
    ]


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    main()
