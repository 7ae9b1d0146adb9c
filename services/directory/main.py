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

from libs.process import read_key_file, run_process
from libs.rpc import Door, Identity, Peer, Registration, RpcServer, RpcSettings, remote_authenticator
from libs.sealing import PepperedHash
from libs.storage import CorruptDatabaseError, NewerDatabaseError, open_database
from libs.telemetry import configure_telemetry
from services.directory.handler import Credentials, Directory, Leads, Workspaces
from services.directory.rest.opening import openers
from services.directory.scheduler import forget_old_deliveries, letter_contacts
from services.directory.server import DirectoryServicer
from services.directory.settings import Settings
from services.directory.store.stores import Stores, sql_stores
from services.directory.vault import JwtSourceTokens

SERVICE: Final = "directory"
MIGRATIONS: Final = Path(__file__).parent / "migrations"
_FORGETS_EVERY: Final = timedelta(hours=1)
_LETTERS_EVERY: Final = timedelta(milliseconds=500)


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
    pepper = read_key_file("CONTACTSYNC_PEPPER_FILE", settings.pepper_file)
    master_key = read_key_file("CONTACTSYNC_MASTER_KEY_FILE", settings.master_key_file, exactly=32)
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
        await stack.enter_async_context(letter_contacts(stores.lettering, every=_LETTERS_EVERY))
        credentials = compose_credentials(stores, pepper=pepper, master_key=master_key)
        workspaces = compose_workspaces(stores)
        door = Door(
            identity=identity,
            authenticate=remote_authenticator(access),
            credentials=openers(credentials),
            gateways=settings.gateway_networks(),
        )
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


def compose_credentials(stores: Stores, *, pepper: bytes, master_key: bytes) -> Credentials:
    """Give what opens workspaces."""
    return Credentials(
        credentials=stores.credentials,
        listing=stores.credentials,
        workspaces=stores.workspaces,
        members=stores.members,
        key_hash=PepperedHash(pepper),
        tokens=JwtSourceTokens(master_key),
        clock=_now,
        entropy=secrets.token_bytes,
    )


def compose_workspaces(stores: Stores) -> Workspaces:
    """Give workspaces and who works in them."""
    return Workspaces(
        workspaces=stores.workspaces,
        changes=stores.workspaces,
        members=stores.members,
        member_changes=stores.members,
        clock=_now,
        entropy=secrets.token_bytes,
    )


def compose_leads(stores: Stores) -> Leads:
    """Give contacts written one at a time."""
    return Leads(writer=stores.leads, contacts=stores.book, entropy=secrets.token_bytes)


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
