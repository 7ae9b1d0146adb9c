"""One correlation id and one trace, through the server, its peers and its batches."""

import asyncio
import json
import uuid
from typing import Any

import pytest
from contactsync.call.v1.call_pb2 import CallContext
from contactsync.idempotency.v1 import idempotency_service_pb2
from contactsync.ingestion.v1 import ingestion_service_pb2
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.empty_pb2 import Empty
from opentelemetry import baggage
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from libs.rpc import call_context, serve_item, tracing
from tests.integration.rpc.conftest import Stubs
from tests.integration.rpc.world import World, bearer, hear, service

BODY = HttpBody(content_type="application/json", data=b"{}")
GET_JOB = ingestion_service_pb2.GetJobRequest(job_id="j")
RELEASE = idempotency_service_pb2.ReleaseManyRequest(
    items=[idempotency_service_pb2.ReleaseItem(client_id="a", key="k", fence=1)]
)
TRACE_ID, SPAN_ID = "1" * 32, "2" * 16
SAMPLED, UNSAMPLED = f"00-{TRACE_ID}-{SPAN_ID}-01", f"00-{TRACE_ID}-{SPAN_ID}-00"


def _span_id(span: ReadableSpan) -> int:
    assert span.context is not None
    return int(span.context.span_id)


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_TRACER", provider.get_tracer("test"))
    return exporter


async def test_given_correlation_id_is_bound_and_returned(world: World, stubs: Stubs) -> None:
    heard = await hear(stubs.rest.Import, BODY, bearer(), ("x-correlation-id", "a.b_c:d-1"))

    assert heard.initial["x-correlation-id"] == "a.b_c:d-1"
    assert world.correlation_ids == ["a.b_c:d-1"]


async def test_missing_correlation_id_is_made(world: World, stubs: Stubs) -> None:
    heard = await hear(stubs.typed.GetJob, GET_JOB, bearer())

    assert uuid.UUID(heard.initial["x-correlation-id"]).version == 4
    assert world.correlation_ids == [heard.initial["x-correlation-id"]]


@pytest.mark.parametrize("given", ["", "a b", "a/b", "x" * 129])
async def test_bad_correlation_id_is_refused_under_a_made_one(world: World, stubs: Stubs, given: str) -> None:
    heard = await hear(stubs.rest.Import, BODY, bearer(), ("x-correlation-id", given))

    assert heard.status == "400"
    assert json.loads(heard.response.data)["details"][0]["code"] == "correlation_id"
    assert uuid.UUID(heard.initial["x-correlation-id"]).version == 4
    assert world.served == []


async def test_call_between_services_costs_no_metadata_of_its_answer(world: World, stubs: Stubs) -> None:
    heard = await hear(stubs.internal.ReleaseMany, RELEASE, service("ingestion"))

    assert heard.initial == {}
    assert world.correlation_ids == [None]


async def test_sampled_call_has_a_span_under_its_caller(
    world: World, stubs: Stubs, spans: InMemorySpanExporter
) -> None:
    await hear(stubs.typed.GetJob, GET_JOB, bearer(), ("traceparent", SAMPLED), ("x-correlation-id", "c-1"))

    (span,) = spans.get_finished_spans()
    assert span.name == "contactsync.ingestion.v1.IngestionService/GetJob"
    assert span.kind is SpanKind.SERVER
    assert span.parent is not None
    assert f"{span.parent.trace_id:032x}-{span.parent.span_id:016x}" == f"{TRACE_ID}-{SPAN_ID}"
    assert dict(span.attributes or {}) == {
        "rpc.system.name": "grpc",
        "rpc.method": "contactsync.ingestion.v1.IngestionService/GetJob",
        "correlation_id": "c-1",
    }
    assert world.contexts[0].traceparent == f"00-{TRACE_ID}-{_span_id(span):016x}-01"
    assert world.contexts[0].correlation_id == "c-1"


async def test_unsampled_call_carries_its_ids_without_a_span(
    world: World, stubs: Stubs, spans: InMemorySpanExporter
) -> None:
    await hear(stubs.typed.GetJob, GET_JOB, bearer(), ("traceparent", UNSAMPLED))

    assert spans.get_finished_spans() == ()
    assert world.contexts[0].traceparent == UNSAMPLED


@pytest.mark.parametrize("malformed", ["", "00-x", f"00-{'0' * 32}-{SPAN_ID}-01", "00-" + "Z" * 32 + "-" + SPAN_ID])
async def test_malformed_trace_begins_a_new_one(stubs: Stubs, spans: InMemorySpanExporter, malformed: str) -> None:
    await hear(stubs.typed.GetJob, GET_JOB, bearer(), ("traceparent", malformed))

    (span,) = spans.get_finished_spans()
    assert span.parent is None


async def test_health_and_batched_calls_have_no_span(stubs: Stubs, spans: InMemorySpanExporter) -> None:
    await hear(stubs.rest.GetHealth, Empty(), ("traceparent", SAMPLED))
    await hear(stubs.internal.ReleaseMany, RELEASE, service("ingestion"))

    assert spans.get_finished_spans() == ()


async def test_failed_call_has_a_failed_span_without_its_text(
    world: World, stubs: Stubs, spans: InMemorySpanExporter
) -> None:
    async def behave(request: Any) -> None:
        raise RuntimeError("+79001234567")

    world.behave = behave
    await hear(stubs.typed.GetJob, GET_JOB, bearer(), ("traceparent", SAMPLED))

    while not spans.get_finished_spans():  # noqa: ASYNC110 - the answer leaves before the span ends, and nothing tells
        await asyncio.sleep(0)
    (span,) = spans.get_finished_spans()
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "INTERNAL_ERROR")
    assert "+79001234567" not in span.to_json()


def test_item_is_served_as_its_own_request(spans: InMemorySpanExporter) -> None:
    with serve_item(CallContext(correlation_id="c-1", traceparent=SAMPLED), "idempotency.Begin"):
        inside = call_context()
        assert baggage.get_baggage("correlation_id") == "c-1"

    (span,) = spans.get_finished_spans()
    assert (span.name, span.kind, (span.attributes or {})["correlation_id"]) == (
        "idempotency.Begin",
        SpanKind.SERVER,
        "c-1",
    )
    assert inside.traceparent == f"00-{TRACE_ID}-{_span_id(span):016x}-01"
    assert call_context() == CallContext()


def test_item_of_a_batched_call_tells_the_calls_method(spans: InMemorySpanExporter) -> None:
    with serve_item(CallContext(traceparent=SAMPLED), "x.Begin", method="x.v1.X/BeginMany", chunk_id="j.0"):
        pass

    attributes = spans.get_finished_spans()[0].attributes or {}
    assert (attributes["rpc.system.name"], attributes["rpc.method"]) == ("grpc", "x.v1.X/BeginMany")
    assert attributes["chunk_id"] == "j.0"


@pytest.mark.parametrize("traceparent", ["", UNSAMPLED])
def test_item_that_is_not_sampled_has_no_span(spans: InMemorySpanExporter, traceparent: str) -> None:
    context = CallContext(correlation_id="c-1", traceparent=traceparent)

    with serve_item(context, "idempotency.Begin"):
        assert call_context() == context

    assert spans.get_finished_spans() == ()


def test_item_that_fails_has_a_failed_span(spans: InMemorySpanExporter) -> None:
    with pytest.raises(KeyError), serve_item(CallContext(traceparent=SAMPLED), "idempotency.Begin"):
        raise KeyError("+79001234567")

    (span,) = spans.get_finished_spans()
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "KeyError")
    assert "+79001234567" not in span.to_json()
