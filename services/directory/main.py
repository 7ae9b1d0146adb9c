"""Runs directory: `python -m services.directory.main`."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from contactsync.directory.v1 import (
    async_api_pb2,
    connect_api_pb2,
    contact_source_api_pb2,
    directory_service_pb2,
    sync_api_pb2,
    workspace_service_pb2,
)
from contactsync.directory.v1.async_api_pb2_grpc import add_AsyncApiServicer_to_server
from contactsync.directory.v1.connect_api_pb2_grpc import add_ConnectApiServicer_to_server
from contactsync.directory.v1.contact_source_api_pb2_grpc import add_ContactSourceApiServicer_to_server
from contactsync.directory.v1.directory_service_pb2_grpc import add_DirectoryServiceServicer_to_server
from contactsync.directory.v1.sync_api_pb2_grpc import add_SyncApiServicer_to_server
from contactsync.directory.v1.workspace_service_pb2_grpc import add_WorkspaceServiceServicer_to_server

from libs.bus import INTAKE_TICKET, JetStreamBus
from libs.process import read_key_file, run_process
from libs.rpc import Door, Identity, Peer, Registration, RpcServer, RpcSettings, Tls, remote_authenticator
from libs.sealing import PepperedHash
from libs.storage import REFUSALS, make_database, open_database
from libs.telemetry import configure_telemetry
from libs.telemetry.metrics import telling
from services.directory.consumer import IntakeConsumer
from services.directory.counting import IntakeNumbers
from services.directory.handler import Credentials, Directory, Leads, Workspaces
from services.directory.handler.connect import Connect
from services.directory.handler.contact_source import ContactSource
from services.directory.handler.operating import Operating
from services.directory.handler.telecrm import TelecrmApis, telecrm_apis
from services.directory.peers.phones import RpcPhones
from services.directory.ports.intake import IntakeAnnouncer
from services.directory.ports.phones import Phones
from services.directory.publisher import IntakeRelay, IntakeSweeper
from services.directory.rest.connect import ConnectServicer
from services.directory.rest.contact_source import ContactSourceServicer
from services.directory.rest.opening import openers
from services.directory.rest.telecrm import AsyncApi, SyncApi
from services.directory.scheduler import forget_old_deliveries, letter_contacts
from services.directory.server import DirectoryServicer, WorkspaceServicer
from services.directory.settings import Settings
from services.directory.store.stores import Stores, sql_stores
from services.directory.vault import JwtSourceTokens

SERVICE: Final = "directory"
MIGRATIONS: Final = Path(__file__).parent / "migrations"
_FORGETS_EVERY: Final = timedelta(hours=1)
_LETTERS_EVERY: Final = timedelta(seconds=1)


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
    """Give a server that is put together and not yet started; its database is closed behind it."""
    identity = Identity(SERVICE, settings.read_service_key(), tls=Tls(settings.tls_files()))
    pepper = read_key_file("CONTACTSYNC_PEPPER_FILE", settings.pepper_file)
    master_key = read_key_file("CONTACTSYNC_MASTER_KEY_FILE", settings.master_key_file, exactly=32)
    async with AsyncExitStack() as stack:
        telemetry = configure_telemetry(service=SERVICE, **settings.telemetry())
        stack.push_async_callback(telemetry.close)
        database = await open_database(settings.database_url, migrations=MIGRATIONS, long_units=True)
        stack.push_async_callback(database.close)
        access = Peer(settings.access_address, identity=identity, callee=identity.tls.to("access"))
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
        normalization = Peer(settings.normalization_address, identity=identity, callee=identity.tls.to("normalization"))
        stack.push_async_callback(normalization.close)
        bus = await JetStreamBus.open(settings.nats_url, name=SERVICE, replicas=settings.nats_replicas)
        stack.push_async_callback(bus.close)
        relay = IntakeRelay(bus=bus, subject=INTAKE_TICKET)
        phones = RpcPhones(normalization)
        telecrm = compose_telecrm(stores, phones=phones, announcer=relay)
        sweeper = IntakeSweeper(
            book=stores.intake, relay=relay, clock=_now, every=settings.sweep_interval, patience=settings.overdue_after
        )
        server = RpcServer(
            RpcSettings(listen=settings.listen, linger=settings.linger, tls=identity.tls),
            [
                registration(directory, compose_operating(stores, phones=phones)),
                workspace_registration(workspaces, credentials),
                *telecrm_registrations(telecrm),
                *further_registrations(stores, credentials, phones),
            ],
            door=door,
            ready=database.check,
        )
        work = {
            "relay": relay.run,
            "sweeper": sweeper.run,
            "consumer": lambda: IntakeConsumer(telecrm.intake).run(bus),
        }
        await stack.enter_async_context(_working(server, work))
        parts = (telemetry, server, database, bus, IntakeNumbers(stores.intake, clock=_now))
        told = (each.measures for each in parts)
        await stack.enter_async_context(telling(SERVICE, *told, **settings.metrics()))
        yield server


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


def compose_operating(stores: Stores, *, phones: Phones) -> Operating:
    """Give contacts changed by hand."""
    return Operating(leads=compose_leads(stores), lookup=stores.leads, workspaces=stores.workspaces, phones=phones)


def registration(directory: Directory, operating: Operating) -> Registration:
    """Give the typed service over them."""
    descriptor = directory_service_pb2.DESCRIPTOR.services_by_name["DirectoryService"]
    return Registration(descriptor, add_DirectoryServiceServicer_to_server, DirectoryServicer(directory, operating))


def workspace_registration(workspaces: Workspaces, credentials: Credentials) -> Registration:
    """Give the typed service over them."""
    descriptor = workspace_service_pb2.DESCRIPTOR.services_by_name["WorkspaceService"]
    servicer = WorkspaceServicer(workspaces, credentials)
    return Registration(descriptor, add_WorkspaceServiceServicer_to_server, servicer)


def compose_telecrm(stores: Stores, *, phones: Phones, announcer: IntakeAnnouncer) -> TelecrmApis:
    """Give the use cases of the telecrm APIs."""
    return telecrm_apis(stores, phones=phones, announcer=announcer, clock=_now, entropy=secrets.token_bytes)


def telecrm_registrations(apis: TelecrmApis) -> list[Registration]:
    """Give both telecrm APIs over them."""
    sync = SyncApi(leads=apis.leads, actions=apis.actions, team=apis.team, enterprise=apis.enterprise)
    described = sync_api_pb2.DESCRIPTOR.services_by_name, async_api_pb2.DESCRIPTOR.services_by_name
    return [
        Registration(described[0]["SyncApi"], add_SyncApiServicer_to_server, sync),
        Registration(described[1]["AsyncApi"], add_AsyncApiServicer_to_server, AsyncApi(apis.intake)),
    ]


def further_registrations(stores: Stores, credentials: Credentials, phones: Phones) -> list[Registration]:
    """Give the connect API and the contact source."""
    connect = Connect(
        leads=compose_leads(stores),
        search=stores.search,
        workspaces=stores.workspaces,
        members=stores.members,
        phones=phones,
    )
    source = ContactSource(walks=stores.walks, reader=stores.walks)
    of_connect = connect_api_pb2.DESCRIPTOR.services_by_name["ConnectApi"]
    of_source = contact_source_api_pb2.DESCRIPTOR.services_by_name["ContactSourceApi"]
    return [
        Registration(of_connect, add_ConnectApiServicer_to_server, ConnectServicer(connect)),
        Registration(of_source, add_ContactSourceApiServicer_to_server, ContactSourceServicer(source, credentials)),
    ]


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    main()
