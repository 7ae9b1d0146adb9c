"""The service on a real channel, behind its door."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import grpc
import pytest
from contactsync.call.v1.call_pb2 import CallContext
from contactsync.normalization.v1 import normalization_service_pb2 as pb
from contactsync.normalization.v1.normalization_service_pb2_grpc import (
    NormalizationServiceStub,
)

from libs.rpc import Identity, Peer, PeerRefused
from services.normalization.main import running
from services.normalization.settings import Settings

KEY = bytes(range(32))


@pytest.fixture
async def address(tmp_path: Path) -> AsyncIterator[str]:
    key_file = tmp_path / "service.key"
    key_file.write_text(KEY.hex())
    settings = Settings(service_key_file=key_file, listen="127.0.0.1:0", access_address="127.0.0.1:1")
    async with running(settings) as server:
        await server.start()
        yield f"127.0.0.1:{server.port}"
        await server.stop()


@asynccontextmanager
async def calling(address: str, service: str) -> AsyncIterator[tuple[Peer, NormalizationServiceStub]]:
    peer = Peer(address, identity=Identity(service, KEY))
    try:
        yield peer, NormalizationServiceStub(peer.channel)
    finally:
        await peer.close()


async def test_ingestion_gets_its_items_in_columns(address: str) -> None:
    context = CallContext(correlation_id="c-1")
    large = pb.NormalizeItem(context=context, default_region="RU", phones=["8 (900) 123-45-67"] * 10_000)
    small = pb.NormalizeItem(context=context, default_region="RU", phones=["нет"], emails=["A@B.com"])

    async with calling(address, "ingestion") as (peer, stub):
        response = await peer.call(stub.NormalizeMany, pb.NormalizeManyRequest(items=[large, small]))

    assert response.results[0].e164 == ["+79001234567"] * 10_000
    assert response.results[0].decided_by == bytes([pb.DECIDED_BY_DEFAULT_REGION]) * 10_000
    assert response.results[1].phone_refusals == bytes([pb.REFUSAL_NOT_A_NUMBER])
    assert response.results[1].emails == ["A@b.com"]


async def test_a_service_that_has_no_business_here_is_refused(address: str) -> None:
    request = pb.NormalizeManyRequest(items=[pb.NormalizeItem(default_region="RU")])

    async with calling(address, "delivery") as (peer, stub):
        with pytest.raises(PeerRefused) as caught:
            await peer.call(stub.NormalizeMany, request)

    assert caught.value.reason == "FORBIDDEN"


async def test_a_caller_without_a_key_is_refused(address: str) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        stub = NormalizationServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Normalize(pb.NormalizeRequest(phones=["89001234567"]), timeout=5)

    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_a_text_over_the_limit_of_the_contract_is_named(address: str) -> None:
    request = pb.NormalizeManyRequest(items=[pb.NormalizeItem(default_region="RUS")])

    async with calling(address, "ingestion") as (peer, stub):
        with pytest.raises(PeerRefused) as caught:
            await peer.call(stub.NormalizeMany, request, timeout=timedelta(seconds=5))

    assert caught.value.reason == "VALIDATION_ERROR"
    assert [violation.pointer for violation in caught.value.violations] == ["/items/0/default_region"]
