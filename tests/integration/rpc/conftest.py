"""A world of its own for each test."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import grpc
import pytest
from contactsync.access.v1 import access_service_pb2_grpc
from contactsync.directory.v1 import connect_api_pb2_grpc, contact_source_api_pb2_grpc, sync_api_pb2_grpc
from contactsync.idempotency.v1 import idempotency_service_pb2_grpc
from contactsync.ingestion.v1 import import_api_pb2_grpc, ingestion_service_pb2_grpc

from tests.integration.rpc.callers import CallerHere
from tests.integration.rpc.world import KEY, World, serving


@dataclass(frozen=True)
class Stubs:
    """The methods of the world's server."""

    rest: import_api_pb2_grpc.ImportApiStub
    typed: ingestion_service_pb2_grpc.IngestionServiceStub
    internal: idempotency_service_pb2_grpc.IdempotencyServiceStub
    access: access_service_pb2_grpc.AccessServiceStub
    connect: connect_api_pb2_grpc.ConnectApiStub
    source: contact_source_api_pb2_grpc.ContactSourceApiStub
    sync: sync_api_pb2_grpc.SyncApiStub


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def channel(world: World) -> AsyncIterator[grpc.aio.Channel]:
    async with serving(world) as opened:
        yield opened


@pytest.fixture
def stubs(channel: grpc.aio.Channel) -> Stubs:
    return Stubs(
        import_api_pb2_grpc.ImportApiStub(channel),
        ingestion_service_pb2_grpc.IngestionServiceStub(channel),
        idempotency_service_pb2_grpc.IdempotencyServiceStub(channel),
        access_service_pb2_grpc.AccessServiceStub(channel),
        connect_api_pb2_grpc.ConnectApiStub(channel),
        contact_source_api_pb2_grpc.ContactSourceApiStub(channel),
        sync_api_pb2_grpc.SyncApiStub(channel),
    )


@pytest.fixture
def delivery() -> CallerHere:
    return CallerHere("delivery", KEY)


@pytest.fixture
def ingestion() -> CallerHere:
    return CallerHere("ingestion", KEY)
