"""Runs the service: python -m services.normalization.main."""

import asyncio

from contactsync.normalization.v1 import normalization_service_pb2, normalization_service_pb2_grpc

from libs.rpc import Door, Identity, Peer, Registration, RpcServer, RpcSettings, remote_authenticator
from libs.telemetry import configure_telemetry
from services.normalization.emails import LibraryEmails
from services.normalization.handler import Normalizer
from services.normalization.phones.compiled import CompiledPhones
from services.normalization.phones.library import LibraryPhones
from services.normalization.ports import PhoneParser
from services.normalization.server import NormalizationServer
from services.normalization.settings import Settings

SERVICE = normalization_service_pb2.DESCRIPTOR.services_by_name["NormalizationService"]


def registration(settings: Settings) -> Registration:
    """The service with its adapters, which need no closing."""
    library = LibraryPhones()
    phones: PhoneParser = CompiledPhones(library) if settings.fast_phones else library
    servicer = NormalizationServer(Normalizer(phones=phones, emails=LibraryEmails()))
    return Registration(SERVICE, normalization_service_pb2_grpc.add_NormalizationServiceServicer_to_server, servicer)


async def serve(settings: Settings) -> None:
    """Serve until told to stop."""
    telemetry = configure_telemetry(
        service="normalization",
        otlp_endpoint=settings.otlp_endpoint or None,
        level=settings.log_level,
        trace_rate=settings.trace_rate,
        trace_ratio=settings.trace_ratio,
    )
    identity = Identity("normalization", bytes.fromhex(settings.service_key_file.read_text().strip()))
    access = Peer(settings.access_address, identity=identity)
    door = Door(identity=identity, authenticate=remote_authenticator(access))
    try:
        await RpcServer(RpcSettings(listen=settings.listen), [registration(settings)], door=door).run()
    finally:
        await access.close()
        await telemetry.close()


if __name__ == "__main__":
    asyncio.run(serve(Settings()))  # type: ignore[call-arg]  # the environment gives them
