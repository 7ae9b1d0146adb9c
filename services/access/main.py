"""Runs access: `python -m services.access.main`."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from contactsync.access.v1 import access_service_pb2
from contactsync.access.v1.access_service_pb2_grpc import add_AccessServiceServicer_to_server
from pydantic import ValidationError

from libs.rpc import Door, Identity, Registration, RpcServer, RpcSettings, cached_authenticator
from libs.storage import Database, StorageError, open_database
from libs.telemetry import Telemetry, configure_telemetry
from services.access.credentials_file import CredentialsFileError, JsonCredentialsFile
from services.access.domain.errors import OperatorKeyChangedError
from services.access.handler import Access, prove_keys
from services.access.server import AccessServicer, local_authenticator
from services.access.settings import Settings
from services.access.store.sql import MIGRATIONS, SqlStore
from services.access.system import SystemClock, SystemRandomness
from services.access.vault import AesGcmCipher, KeyFileError, PepperedHash, fingerprint, read_key_file

SERVICE = "access"

_log = structlog.get_logger()


def main() -> None:
    """Serve until SIGTERM or SIGINT. What keeps it from starting is told in one line on standard error, exit code 1."""
    try:
        asyncio.run(serve(Settings.model_validate({})))
    except ValidationError as error:
        missing = ", ".join(f"CONTACTSYNC_{fault['loc'][0]}".upper() for fault in error.errors())
        sys.exit(f"access cannot start: missing or not valid: {missing}. Set it as services/access/README.md says.")
    except OperatorKeyChangedError as error:
        sys.exit(f"access cannot start: {_key_changed(error.purpose)}")
    except (KeyFileError, CredentialsFileError, StorageError, OSError) as error:
        sys.exit(f"access cannot start: {error}")


async def serve(settings: Settings) -> None:
    """Put everything together, run, and close it in reverse."""
    async with running(settings) as server:
        await server.run()


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[RpcServer]:
    """Give a server that is put together and not yet started; its database is closed behind it."""
    service_key = read_key_file("CONTACTSYNC_SERVICE_KEY_FILE", settings.service_key_file)
    master_key = read_key_file("CONTACTSYNC_MASTER_KEY_FILE", settings.master_key_file, exactly=32)
    pepper = read_key_file("CONTACTSYNC_PEPPER_FILE", settings.pepper_file)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(_configure_telemetry(settings).close)
        database = await open_database(settings.database_url, migrations=MIGRATIONS)
        stack.push_async_callback(database.close)
        access = await _prepare(settings, SqlStore(database), master_key=master_key, pepper=pepper)
        yield _server(settings, access, database, service_key=service_key)


def _configure_telemetry(settings: Settings) -> Telemetry:
    return configure_telemetry(
        service=SERVICE,
        otlp_endpoint=settings.otlp_endpoint,
        level=settings.log_level,
        trace_rate=settings.trace_rate,
        trace_ratio=settings.trace_ratio,
    )


async def _prepare(settings: Settings, store: SqlStore, *, master_key: bytes, pepper: bytes) -> Access:
    await prove_keys(
        store, {name: fingerprint(key, name) for name, key in (("pepper", pepper), ("master_key", master_key))}
    )
    randomness = SystemRandomness()
    cipher = AesGcmCipher(master_key, randomness=randomness)
    access = Access(store, key_hash=PepperedHash(pepper), cipher=cipher, clock=SystemClock(), randomness=randomness)
    if settings.bootstrap_file is not None and await access.bootstrap(JsonCredentialsFile(settings.bootstrap_file)):
        _log.info("first_clients_created", file=str(settings.bootstrap_file))
    return access


def _server(settings: Settings, access: Access, database: Database, *, service_key: bytes) -> RpcServer:
    identity = Identity(SERVICE, service_key)
    descriptor = access_service_pb2.DESCRIPTOR.services_by_name["AccessService"]
    return RpcServer(
        RpcSettings(listen=settings.listen),
        [Registration(descriptor, add_AccessServiceServicer_to_server, AccessServicer(access))],
        door=Door(identity=identity, authenticate=cached_authenticator(local_authenticator(access))),
        ready=database.check,
    )


def _key_changed(purpose: str) -> str:
    setting = f"CONTACTSYNC_{purpose.upper()}_FILE"
    return (
        f"{setting} holds another key than the one the database was made with. Put that one back; nothing was changed."
    )


if __name__ == "__main__":
    main()
