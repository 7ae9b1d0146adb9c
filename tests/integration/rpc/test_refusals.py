"""What leaves a server as an error, over the wire, in every shape of call."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import grpc
import pytest
from contactsync.contact.v1 import contact_pb2
from contactsync.ingestion.v1 import import_api_pb2, ingestion_service_pb2, ingestion_service_pb2_grpc
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.empty_pb2 import Empty
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from structlog.testing import capture_logs

from libs.rpc import Refusal, Registration, RpcServer, RpcSettings, Violation
from tests.integration.rpc.conftest import Stubs
from tests.integration.rpc.world import World, bearer, hear, service

BODY = HttpBody(content_type="application/json", data=b"{}")
GET_JOB = ingestion_service_pb2.GetJobRequest(job_id="j")
WATCH = ingestion_service_pb2.WatchJobRequest(job_id="j")
PART = ingestion_service_pb2.ImportContactStreamRequest(contacts=[contact_pb2.Contact(phone="1")])
SECRET = "+79001234567"  # a contact's number, as an error's text might hold it


def _refuse(world: World, error: Exception) -> None:
    async def behave(request: Any) -> None:
        raise error

    world.behave = behave


def _info(heard_trailing: dict[str, Any]) -> ErrorInfo:
    info = ErrorInfo()
    assert Status.FromString(heard_trailing["grpc-status-details-bin"]).details[0].Unpack(info)
    return info


async def test_rest_refusal_is_an_answer_with_the_envelope(world: World, stubs: Stubs) -> None:
    fields = {"existing_created_at": "2024-01-15T12:00:00Z"}
    _refuse(world, Refusal("IDEMPOTENCY_CONFLICT", "Ключ занят", fields=fields))

    heard = await hear(stubs.rest.Import, BODY, bearer(), ("x-correlation-id", "c-1"))

    assert (heard.code, heard.status, heard.response.content_type) == (grpc.StatusCode.OK, "422", "application/json")
    assert heard.initial["x-correlation-id"] == "c-1"
    assert json.loads(heard.response.data) == {"error": "idempotency_conflict", "message": "Ключ занят", **fields}


async def test_typed_refusal_is_told_to_grpc_callers_and_to_the_gateway(world: World, stubs: Stubs) -> None:
    violations = [Violation(f"/{place}/phone", "too_short", "слишком короткий", "12") for place in range(150)]
    _refuse(world, Refusal("VALIDATION_ERROR", "Нет", violations=violations, retry_after=timedelta(seconds=2)))

    heard = await hear(stubs.typed.GetJob, GET_JOB, bearer(), ("x-correlation-id", "c-1"))

    body = json.loads(heard.trailing["x-error-body"])
    assert (heard.code, heard.details) == (grpc.StatusCode.INVALID_ARGUMENT, "Нет")
    assert (heard.status, heard.trailing["retry-after"]) == ("400", "2")
    assert heard.trailing["x-correlation-id"] == "c-1"
    assert (body["error"], body["message"], body["total_errors"]) == ("validation_error", "Нет", 150)
    assert 0 < len(body["details"]) < 100
    assert _info(heard.trailing).reason == "VALIDATION_ERROR"
    assert sum(len(str(key)) + len(value) + 32 for key, value in heard.trailing.items()) < 8192


@pytest.mark.usefixtures("channel")
async def test_gateway_gets_the_longer_body(world: World) -> None:
    violations = [Violation(f"/{place}/phone", "too_short", "is short", "12") for place in range(150)]
    _refuse(world, Refusal("VALIDATION_ERROR", "no", violations=violations))
    options = [("grpc.max_metadata_size", 65536), ("grpc.absolute_max_metadata_size", 65536)]

    async with grpc.aio.insecure_channel(f"127.0.0.1:{world.port}", options=options) as gateway:
        get_job = ingestion_service_pb2_grpc.IngestionServiceStub(gateway).GetJob
        heard = await hear(get_job, GET_JOB, bearer(), ("x-forwarded-for", "203.0.113.7"))

    assert 2560 < len(heard.trailing["x-error-body"]) <= 8192
    assert len(json.loads(heard.trailing["x-error-body"])["details"]) > 50


@pytest.mark.parametrize("method", ["rest", "typed"])
async def test_text_of_an_unknown_error_never_leaves(world: World, stubs: Stubs, method: str) -> None:
    _refuse(world, RuntimeError(SECRET))
    call, request = (stubs.rest.Import, BODY) if method == "rest" else (stubs.typed.GetJob, GET_JOB)

    with capture_logs() as logged:
        heard = await hear(call, request, bearer(), ("x-correlation-id", "c-1"))

    assert heard.status == "500"
    assert SECRET not in str(heard)
    assert SECRET not in str(logged)
    assert [line["event"] for line in logged] == ["call_failed"]


async def test_answer_that_is_no_message_is_an_internal_error(stubs: Stubs) -> None:
    outcome = ingestion_service_pb2.DeliveryOutcome(chunk_id="c", destination_id="d", attempt_count=1, row_states=b"1")
    request = ingestion_service_pb2.RecordOutcomesRequest(outcomes=[outcome])

    heard = await hear(stubs.typed.RecordOutcomes, request, service("delivery"))

    assert heard.code is grpc.StatusCode.INTERNAL
    assert _info(heard.trailing).reason == "INTERNAL_ERROR"


async def test_method_without_a_body_is_unimplemented(world: World, stubs: Stubs) -> None:
    _refuse(world, NotImplementedError("Method not implemented!"))

    assert (await hear(stubs.typed.GetJob, GET_JOB, bearer())).code is grpc.StatusCode.UNIMPLEMENTED


async def test_broken_rule_never_reaches_the_method(world: World, stubs: Stubs) -> None:
    heard = await hear(stubs.typed.GetJob, ingestion_service_pb2.GetJobRequest(), bearer())

    bad = BadRequest()
    assert Status.FromString(heard.trailing["grpc-status-details-bin"]).details[1].Unpack(bad)
    assert [violation.field for violation in bad.field_violations] == ["/job_id"]
    assert world.served == []


async def test_bytes_that_are_no_message_are_the_callers_mistake(channel: grpc.aio.Channel) -> None:
    method: Any = channel.unary_unary("/contactsync.ingestion.v1.IngestionService/GetJob")

    heard = await hear(method, b"\xff\xff", bearer())

    assert heard.code is grpc.StatusCode.INVALID_ARGUMENT


async def test_headers_of_an_answer_are_dropped_by_a_refusal(world: World, stubs: Stubs) -> None:
    heard = await hear(stubs.rest.Import, BODY, bearer())
    _refuse(world, Refusal("NOT_FOUND", "no"))
    refused = await hear(stubs.rest.Import, BODY, bearer())

    assert (heard.status, heard.initial["idempotent-replayed"]) == ("202", "true")
    assert refused.status == "404"
    assert "idempotent-replayed" not in refused.initial


async def test_own_timeout_is_a_passed_deadline(world: World, stubs: Stubs) -> None:
    _refuse(world, TimeoutError())

    heard = await hear(stubs.typed.GetJob, GET_JOB, bearer())

    assert (heard.code, heard.status) == (grpc.StatusCode.DEADLINE_EXCEEDED, "504")


async def test_cancelled_call_ends_its_method(world: World, stubs: Stubs) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def behave(request: Any) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    world.behave = behave
    with capture_logs() as logged:
        call = stubs.typed.GetJob(GET_JOB, metadata=(bearer(),), timeout=20)
        await begun.wait()
        call.cancel()
        await ended.wait()

    assert logged == []


async def test_passed_deadline_of_the_caller_ends_the_method(world: World, stubs: Stubs) -> None:
    ended = asyncio.Event()

    async def behave(request: Any) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    world.behave = behave

    call = stubs.typed.GetJob(GET_JOB, metadata=(bearer(),), timeout=2)

    assert await call.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await ended.wait()


async def test_stream_of_answers(world: World, stubs: Stubs) -> None:
    call = stubs.typed.WatchJob(WATCH, metadata=(bearer(), ("x-correlation-id", "c-1")), timeout=20)

    assert [answer.job.job_id async for answer in call] == ["0", "1", "2"]
    assert dict(await call.initial_metadata())["x-correlation-id"] == "c-1"
    assert world.correlation_ids == ["c-1"] * 3


@pytest.mark.parametrize(
    ("request_", "metadata", "code"),
    [
        (WATCH, lambda: (), grpc.StatusCode.UNAUTHENTICATED),
        (WATCH, lambda: (service("delivery"),), grpc.StatusCode.PERMISSION_DENIED),
        (ingestion_service_pb2.WatchJobRequest(), lambda: (bearer(),), grpc.StatusCode.INVALID_ARGUMENT),
    ],
)
async def test_stream_of_answers_is_refused_before_it_begins(
    stubs: Stubs, request_: Any, metadata: Callable[[], tuple[tuple[str, str], ...]], code: grpc.StatusCode
) -> None:
    call = stubs.typed.WatchJob(request_, metadata=metadata(), timeout=20)

    assert await call.code() is code
    assert "x-error-body" in dict(await call.trailing_metadata())


async def test_stream_of_answers_that_fails_midway_tells_no_secret(world: World, stubs: Stubs) -> None:
    async def behave(place: int) -> None:
        if place == 1:
            raise RuntimeError(SECRET)

    world.behave = behave
    call = stubs.typed.WatchJob(WATCH, metadata=(bearer(),), timeout=20)

    got: list[str] = []
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        got.extend([answer.job.job_id async for answer in call])

    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert SECRET not in str(caught.value)


async def test_stream_of_requests(world: World, stubs: Stubs) -> None:
    call = stubs.typed.ImportContactStream(iter([PART, PART]), metadata=(bearer(),), timeout=20)

    assert (await call).accepted.total_contacts == 2
    assert "x-correlation-id" in dict(await call.initial_metadata())


@pytest.mark.parametrize(
    ("part", "metadata", "code"),
    [
        (PART, (), grpc.StatusCode.UNAUTHENTICATED),
        (
            ingestion_service_pb2.ImportContactStreamRequest(idempotency_key="é"),
            (bearer(),),
            grpc.StatusCode.INVALID_ARGUMENT,
        ),
    ],
)
async def test_stream_of_requests_is_refused(
    world: World, stubs: Stubs, part: Any, metadata: tuple[tuple[str, str], ...], code: grpc.StatusCode
) -> None:
    call = stubs.typed.ImportContactStream(iter([part]), metadata=metadata, timeout=20)

    assert await call.code() is code
    assert world.served == []


async def test_method_without_a_rule_refuses_everyone(world: World) -> None:
    service_descriptor = trace_service_pb2.DESCRIPTOR.services_by_name["TraceService"]

    async def export(request: Any, context: Any) -> Any:
        raise AssertionError("it was let in")

    def add(behaviour: Any, server: Any) -> None:
        read = trace_service_pb2.ExportTraceServiceRequest.FromString
        handlers: Any = {"Export": grpc.unary_unary_rpc_method_handler(behaviour, read, None)}
        server.add_registered_method_handlers(service_descriptor.full_name, handlers)

    registration = Registration(service_descriptor, add, export)
    server = RpcServer(RpcSettings(listen="127.0.0.1:0", grace=timedelta(0)), [registration], door=world.door())
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        export = cast("Any", trace_service_pb2_grpc).TraceServiceStub(channel).Export
        heard = [
            await hear(export, trace_service_pb2.ExportTraceServiceRequest(), *credentials)
            for credentials in [(), (bearer(),), (service("ingestion"),)]
        ]
    await server.stop()

    assert [call.code for call in heard] == [
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.PERMISSION_DENIED,
    ]


async def test_open_rest_method_is_refused_with_the_envelope_too(stubs: Stubs) -> None:
    heard = await hear(stubs.rest.GetReadiness, Empty())

    assert json.loads(heard.response.data)["error"] == "internal_error"


async def test_rest_read(stubs: Stubs) -> None:
    heard = await hear(stubs.rest.GetImport, import_api_pb2.GetImportRequest(job_id="j"), bearer())

    assert (heard.status, heard.response.data) == ("200", b"j")
