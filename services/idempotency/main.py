"""Runs idempotency: `python -m services.idempotency.main`."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from contactsync.idempotency.v1 import idempotency_api_pb2, idempotency_service_pb2
from contactsync.idempotency.v1.idempotency_api_pb2_grpc import add_IdempotencyApiServicer_to_server
from contactsync.idempotency.v1.idempotency_service_pb2_grpc import add_IdempotencyServiceServicer_to_server
from pydantic import ValidationError

from libs.rpc import Door, Identity, Peer, Registration, RpcServer, RpcSettings, remote_authenticator
from libs.storage import Database, StorageError, open_database
from libs.telemetry import Telemetry, configure_telemetry
from services.idempotency.handler import Idempotency, Limits
from services.idempotency.purger import purge_regularly
from services.idempotency.rest import IdempotencyApi
from services.idempotency.server import IdempotencyServer
from services.idempotency.settings import Settings
from services.idempotency.store.sql import MIGRATIONS, SqlKeys
from services.idempotency.system import RandomJobIds, SystemClock

SERVICE = "idempotency"


def main() -> None:
    """Serve until SIGTERM or SIGINT. What keeps it from starting is told in one line on standard error, exit code 1."""
    try:
        asyncio.run(serve(Settings.model_validate({})))
    except ValidationError as error:
        names = ", ".join(f"CONTACTSYNC_{fault['loc'][0]}".upper() for fault in error.errors())
        sys.exit(f"{SERVICE} cannot start: these settings are missing or not valid: {names}")
    except (StorageError, OSError, ValueError) as error:
        sys.exit(f"{SERVICE} cannot start: {error}")


async def serve(settings: Settings) -> None:
    """Put everything together, run, and close it in reverse."""
    async with running(settings) as server:
        await server.run()


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[RpcServer]:
    """Give a server that is put together and not yet started; what it needs is closed behind it."""
    identity = Identity(SERVICE, _service_key(settings))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(_configure_telemetry(settings).close)
        database = await open_database(settings.database_url, migrations=MIGRATIONS)
        stack.push_async_callback(database.close)
        access = Peer(settings.access_address, identity=identity)
        stack.push_async_callback(access.close)
        idempotency = compose(settings, database)
        await stack.enter_async_context(_purging(settings, idempotency))
        yield RpcServer(
            RpcSettings(listen=settings.listen),
            registrations(idempotency),
            door=Door(identity=identity, authenticate=remote_authenticator(access)),
            ready=database.check,
        )


def compose(settings: Settings, database: Database) -> Idempotency:
    """The use cases over the service's database."""
    keys = SqlKeys(database)
    limits = Limits(lease=settings.key_lease, lifetime=settings.key_lifetime)
    return Idempotency(keys, keys, clock=SystemClock(), job_ids=RandomJobIds(), limits=limits)


def registrations(idempotency: Idempotency) -> Sequence[Registration]:
    """Both entrances: typed gRPC and REST."""
    return (
        Registration(
            idempotency_service_pb2.DESCRIPTOR.services_by_name["IdempotencyService"],
            add_IdempotencyServiceServicer_to_server,
            IdempotencyServer(idempotency),
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


def _configure_telemetry(settings: Settings) -> Telemetry:
    return configure_telemetry(
        service=SERVICE,
        otlp_endpoint=settings.otlp_endpoint,
        level=settings.log_level,
        trace_rate=settings.trace_rate,
        trace_ratio=settings.trace_ratio,
    )


def _service_key(settings: Settings) -> bytes:
    path = settings.service_key_file
    try:
        return bytes.fromhex(path.read_text("ascii"))
    except ValueError:  # without its text, which would be told with it
        raise ValueError(f"CONTACTSYNC_SERVICE_KEY_FILE: {path} does not hold hex digits alone") from None


if __name__ == "__main__":
    main()
