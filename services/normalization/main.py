"""Runs normalization: `python -m services.normalization.main`."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from contactsync.normalization.v1 import normalization_service_pb2
from contactsync.normalization.v1.normalization_service_pb2_grpc import add_NormalizationServiceServicer_to_server
from pydantic import ValidationError

from libs.rpc import Door, Identity, Peer, Registration, RpcServer, RpcSettings, remote_authenticator
from libs.telemetry import configure_telemetry
from services.normalization.emails import LibraryEmails
from services.normalization.handler import Normalizer
from services.normalization.phones.compiled import CompiledPhones
from services.normalization.phones.library import LibraryPhones
from services.normalization.ports import PhoneParser
from services.normalization.server import NormalizationServer
from services.normalization.settings import Settings

SERVICE = "normalization"


def main() -> None:
    """Serve until SIGTERM or SIGINT. What keeps it from starting is told in one line on standard error, exit code 1."""
    try:
        asyncio.run(serve(Settings.model_validate({})))
    except ValidationError as error:
        missing = ", ".join(f"CONTACTSYNC_{fault['loc'][0]}".upper() for fault in error.errors())
        sys.exit(f"{SERVICE} cannot start: these settings are missing or not valid: {missing}")
    except (OSError, ValueError) as error:
        sys.exit(f"{SERVICE} cannot start: {error}")


async def serve(settings: Settings) -> None:
    """Put everything together, run, and close it in reverse."""
    async with running(settings) as server:
        await server.run()


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[RpcServer]:
    """Give a server that is put together and not yet started."""
    identity = Identity(SERVICE, _service_key(settings))
    async with AsyncExitStack() as stack:
        telemetry = configure_telemetry(
            service=SERVICE,
            otlp_endpoint=settings.otlp_endpoint,
            level=settings.log_level,
            trace_rate=settings.trace_rate,
            trace_ratio=settings.trace_ratio,
        )
        stack.push_async_callback(telemetry.close)
        access = Peer(settings.access_address, identity=identity)
        stack.push_async_callback(access.close)
        door = Door(identity=identity, authenticate=remote_authenticator(access))
        yield RpcServer(RpcSettings(listen=settings.listen), [_registration(settings)], door=door)


def phone_parser(settings: Settings) -> PhoneParser:
    """The engine that the switch asks for."""
    library = LibraryPhones()
    return CompiledPhones(library) if settings.fast_phones else library


def _registration(settings: Settings) -> Registration:
    descriptor = normalization_service_pb2.DESCRIPTOR.services_by_name["NormalizationService"]
    servicer = NormalizationServer(Normalizer(phones=phone_parser(settings), emails=LibraryEmails()))
    return Registration(descriptor, add_NormalizationServiceServicer_to_server, servicer)


def _service_key(settings: Settings) -> bytes:
    path = settings.service_key_file
    try:
        return bytes.fromhex(path.read_text("ascii"))
    except ValueError:  # without its text, which would be told with it
        raise ValueError(f"CONTACTSYNC_SERVICE_KEY_FILE: {path} does not hold hex digits alone") from None


if __name__ == "__main__":
    main()
