"""Runs normalization: `python -m services.normalization.main`."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from contactsync.normalization.v1 import normalization_service_pb2
from contactsync.normalization.v1.normalization_service_pb2_grpc import add_NormalizationServiceServicer_to_server

from libs.process import run_process
from libs.rpc import Door, Identity, Peer, Registration, RpcServer, RpcSettings, Tls, remote_authenticator
from libs.telemetry import configure_telemetry
from libs.telemetry.metrics import telling
from services.normalization.emails import LibraryEmails
from services.normalization.handler import Normalizer
from services.normalization.phones.compiled import CompiledPhones
from services.normalization.phones.library import LibraryPhones
from services.normalization.ports import PhoneParser
from services.normalization.server import NormalizationServer
from services.normalization.settings import Settings

SERVICE = "normalization"


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    run_process(SERVICE, Settings, serve)


async def serve(settings: Settings) -> None:
    """Put everything together, run, and close it in reverse."""
    async with running(settings) as server:
        await server.run()


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[RpcServer]:
    """Give a server that is put together and not yet started."""
    identity = Identity(SERVICE, settings.read_service_key(), tls=Tls(settings.tls_files()))
    async with AsyncExitStack() as stack:
        telemetry = configure_telemetry(service=SERVICE, **settings.telemetry())
        stack.push_async_callback(telemetry.close)
        access = Peer(settings.access_address, identity=identity, callee=identity.tls.to("access"))
        stack.push_async_callback(access.close)
        door = Door(identity=identity, authenticate=remote_authenticator(access), gateways=settings.gateway_networks())
        rpc = RpcSettings(listen=settings.listen, linger=settings.linger, tls=identity.tls)
        server = RpcServer(rpc, [_registration(settings)], door=door)
        await stack.enter_async_context(telling(SERVICE, telemetry.measures, server.measures, **settings.metrics()))
        yield server


def phone_parser(settings: Settings) -> PhoneParser:
    """The engine that the switch asks for."""
    library = LibraryPhones()
    return CompiledPhones(library) if settings.fast_phones else library


def _registration(settings: Settings) -> Registration:
    descriptor = normalization_service_pb2.DESCRIPTOR.services_by_name["NormalizationService"]
    servicer = NormalizationServer(Normalizer(phones=phone_parser(settings), emails=LibraryEmails()))
    return Registration(descriptor, add_NormalizationServiceServicer_to_server, servicer)


if __name__ == "__main__":
    main()
