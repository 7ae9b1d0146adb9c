"""Runs idempotency: `python -m services.idempotency.main`."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from contactsync.idempotency.v1 import idempotency_api_pb2, idempotency_service_pb2
from contactsync.idempotency.v1.idempotency_api_pb2_grpc import add_IdempotencyApiServicer_to_server
from contactsync.idempotency.v1.idempotency_service_pb2_grpc import add_IdempotencyServiceServicer_to_server

from libs.process import run_process
from libs.rpc import Door, Identity, Peer, Registration, RpcServer, RpcSettings, Tls, remote_authenticator
from libs.storage import REFUSALS, Database, make_database, open_database
from libs.telemetry import configure_telemetry
from libs.telemetry.metrics import telling
from services.idempotency.counting import CountedKeys
from services.idempotency.handler import Idempotency, Limits
from services.idempotency.ports import Keys
from services.idempotency.rest import IdempotencyApi
from services.idempotency.scheduler import purge_regularly
from services.idempotency.server import IdempotencyServer
from services.idempotency.settings import Settings
from services.idempotency.store.sql import MIGRATIONS, SqlKeys
from services.idempotency.system import OrderedJobIds, SystemClock

SERVICE = "idempotency"


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
    """Give a server that is put together and not yet started; what it needs is closed behind it."""
    identity = Identity(SERVICE, settings.read_service_key(), tls=Tls(settings.tls_files()))
    async with AsyncExitStack() as stack:
        telemetry = configure_telemetry(service=SERVICE, **settings.telemetry())
        stack.push_async_callback(telemetry.close)
        database = await open_database(settings.database_url, migrations=MIGRATIONS)
        stack.push_async_callback(database.close)
        access = Peer(settings.access_address, identity=identity, callee=identity.tls.to("access"))
        stack.push_async_callback(access.close)
        keys = CountedKeys(SqlKeys(database))
        idempotency = compose(settings, database, keys=keys)
        await stack.enter_async_context(_purging(settings, idempotency))
        server = RpcServer(
            RpcSettings(listen=settings.listen, linger=settings.linger, tls=identity.tls),
            registrations(idempotency, identity),
            door=Door(
                identity=identity, authenticate=remote_authenticator(access), gateways=settings.gateway_networks()
            ),
            ready=database.check,
        )
        told = (telemetry.measures, server.measures, database.measures, keys.measures)
        await stack.enter_async_context(telling(SERVICE, *told, **settings.metrics()))
        yield server


def compose(settings: Settings, database: Database, *, keys: Keys | None = None) -> Idempotency:
    """The use cases over the service's database; `keys` None: its own."""
    records = SqlKeys(database)
    limits = Limits(lease=settings.key_lease, lifetime=settings.key_lifetime)
    return Idempotency(keys or records, records, clock=SystemClock(), job_ids=OrderedJobIds(), limits=limits)


def registrations(idempotency: Idempotency, identity: Identity) -> Sequence[Registration]:
    """Both entrances: typed gRPC and REST."""
    return (
        Registration(
            idempotency_service_pb2.DESCRIPTOR.services_by_name["IdempotencyService"],
            add_IdempotencyServiceServicer_to_server,
            IdempotencyServer(idempotency, identity),
        ),
        Registration(
            idempotency_api_pb2.DESCRIPTOR.services_by_name["IdempotencyApi"],
            add_IdempotencyApiServicer_to_server,
            IdempotencyApi(idempotency),
        ),
    )


@asynccontextmanager
async def _purging(settings: Settings, idempotency: Idempotency) -> AsyncIterator[None]:
    task = asyncio.create_task(purge_regularly(idempotency, every=settings.purge_interval))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


if __name__ == "__main__":
    main()
