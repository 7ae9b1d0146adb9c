"""Answers that go on: who may hear them, and for how long."""

import contextlib
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import grpc
import pytest
from contactsync.ingestion.v1 import import_api_pb2, ingestion_service_pb2, ingestion_service_pb2_grpc
from google.api.httpbody_pb2 import HttpBody

from libs.rpc.rules import Signed, read_rule
from tests.integration.rpc.conftest import Stubs
from tests.integration.rpc.world import CLIENT, START, World, bearer, serving

WATCH = ingestion_service_pb2.WatchJobRequest(job_id="j")
RETRY = import_api_pb2.DESCRIPTOR.services_by_name["ImportApi"].methods_by_name["RetryImport"]


async def heard(stubs: Stubs) -> tuple[list[str], grpc.StatusCode]:
    call = stubs.typed.WatchJob(WATCH, metadata=(bearer(),), timeout=20)
    seen: list[str] = []
    with contextlib.suppress(grpc.aio.AioRpcError):
        async for response in call:
            seen += [response.job.job_id]
    return seen, await call.code()


def at_place(place: int, act: Callable[[], None]) -> Any:
    async def behave(request: Any) -> None:
        if request == place:
            act()

    return behave


async def test_a_stream_ends_with_the_key_it_began_with(world: World, stubs: Stubs) -> None:
    world.behave = at_place(1, world.clients.clear)

    assert await heard(stubs) == (["0"], grpc.StatusCode.UNAUTHENTICATED)


async def test_a_stream_goes_on_under_a_key_that_lives(world: World, stubs: Stubs) -> None:
    assert await heard(stubs) == (["0", "1", "2"], grpc.StatusCode.OK)


async def test_streams_leave_room_for_other_calls(world: World) -> None:
    async with serving(world, maximum_concurrent_rpcs=4) as channel:
        stub = ingestion_service_pb2_grpc.IngestionServiceStub(channel)
        refused: list[grpc.StatusCode] = []

        async def second(request: Any) -> None:
            if request == 0:
                world.behave = at_place(-1, lambda: None)
                call = stub.WatchJob(WATCH, metadata=(bearer(),), timeout=20)
                refused.append(await call.code())
                await stub.GetJob(ingestion_service_pb2.GetJobRequest(job_id="j"), metadata=(bearer(),), timeout=20)

        world.behave = second
        first = stub.WatchJob(WATCH, metadata=(bearer(),), timeout=20)

        assert len([response async for response in first]) == 3
        assert refused == [grpc.StatusCode.UNAVAILABLE]


def test_a_body_beside_other_fields_is_what_a_signature_covers() -> None:
    rule = read_rule(RETRY)
    message = import_api_pb2.RetryImportRequest(job_id="j", body=HttpBody(data=b"{}"))

    assert rule.signed is Signed.BODY
    assert rule.read_body
    assert rule.read_body(message.SerializeToString()) == b"{}"
    assert rule.read_body(import_api_pb2.RetryImportRequest(job_id="j").SerializeToString()) == b""


@pytest.mark.parametrize(("signed", "code"), [(b"{}", "UNIMPLEMENTED"), (b"", "UNAUTHENTICATED")])
async def test_a_signed_retry_signs_its_body(world: World, stubs: Stubs, signed: bytes, code: str) -> None:
    world.clients["good"] = replace(CLIENT, signs=True, secrets=(b"secret",))
    request = import_api_pb2.RetryImportRequest(job_id="j", body=HttpBody(data=b"{}"))
    timestamp = START.isoformat()
    signature = hmac.new(b"secret", timestamp.encode() + b"\n" + signed, hashlib.sha256).hexdigest()

    call = stubs.rest.RetryImport(
        request, metadata=(bearer(), ("x-timestamp", timestamp), ("x-signature", signature)), timeout=20
    )

    metadata = dict(await call.initial_metadata())
    assert metadata["x-http-status"] == {"UNIMPLEMENTED": "501", "UNAUTHENTICATED": "401"}[code]
