"""Runs access: `python -m services.access.main`."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from contactsync.access.v1 import access_service_pb2
from contactsync.access.v1.access_service_pb2_grpc import add_AccessServiceServicer_to_server

from libs.process import read_key_file, run_process
from libs.rpc import Door, Identity, Registration, RpcServer, RpcSettings, Tls, cached_authenticator
from libs.sealing import PepperedHash
from libs.storage import REFUSALS, Database, make_database, open_database
from libs.telemetry import configure_telemetry
from libs.telemetry.metrics import telling
from services.access.credentials_file import CredentialsFileError, JsonCredentialsFile
from services.access.domain.errors import OperatorKeyChangedError
from services.access.handler import Access, prove_keys
from services.access.server import AccessServicer, local_authenticator
from services.access.settings import Settings
from services.access.store.sql import MIGRATIONS, SqlStore
from services.access.system import SystemClock, SystemRandomness
from services.access.vault import AesGcmCipher, fingerprint

SERVICE = "access"

_log = structlog.get_logger()


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    run_process(
        SERVICE,
        Settings,
        serve,
        refusals=(*REFUSALS, CredentialsFileError, OperatorKeyChangedError),
        before=lambda settings: make_database(settings.database_url, migrations=MIGRATIONS),
    )


async def serve(settings: Settings) -> None:
    """Put everything together, run, and close it in reverse."""
    async with running(settings) as server:
        await server.run()


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[RpcServer]:
    """Give a server that is put together and not yet started; its database is closed behind it."""
    service_key = settings.read_service_key()
    master_key = read_key_file("CONTACTSYNC_MASTER_KEY_FILE", settings.master_key_file, exactly=32)
    pepper = read_key_file("CONTACTSYNC_PEPPER_FILE", settings.pepper_file)
    async with AsyncExitStack() as stack:
        telemetry = configure_telemetry(service=SERVICE, **settings.telemetry())
        stack.push_async_callback(telemetry.close)
        database = await open_database(settings.database_url, migrations=MIGRATIONS)
        stack.push_async_callback(database.close)
        access = await _prepare(settings, SqlStore(database), master_key=master_key, pepper=pepper)
        server = _server(settings, access, database, service_key=service_key)
        told = (telemetry.measures, server.measures, database.measures)
        await stack.enter_async_context(telling(SERVICE, *told, **settings.metrics()))
        yield server


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


def _server(
    settings: Settings, access: Access, database: Database, *, service_key: bytes | dict[str, bytes]
) -> RpcServer:
    identity = Identity(SERVICE, service_key, tls=Tls(settings.tls_files()))
    descriptor = access_service_pb2.DESCRIPTOR.services_by_name["AccessService"]
    return RpcServer(
        RpcSettings(listen=settings.listen, linger=settings.linger, tls=identity.tls),
        [Registration(descriptor, add_AccessServiceServicer_to_server, AccessServicer(access))],
        door=Door(
            identity=identity,
            authenticate=cached_authenticator(local_authenticator(access)),
            gateways=settings.gateway_networks(),
        ),
        ready=database.check,
    )


if __name__ == "__main__":
    main()
