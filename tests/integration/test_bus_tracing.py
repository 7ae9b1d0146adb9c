"""A trace goes through the bus: recorded as one tree when sampled, carried on unrecorded when not."""

import asyncio
import json
import subprocess
import sys

from tests.fixtures.otlp import OtlpReceiver

SCRIPT = """
import asyncio, json, sys
from opentelemetry import baggage, context, trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context
from libs.bus import DELIVERY, DELIVERY_TICKET, Ack, MemoryBus
from libs.telemetry import configure_telemetry, span

async def main(endpoint, flag):
    telemetry = configure_telemetry(service="tested", version="1", otlp_endpoint=endpoint)
    bus, done = MemoryBus(), asyncio.Event()
    async def deliver(message):
        with span("inner"):
            trace_id = trace.get_current_span().get_span_context().trace_id
            print(json.dumps([trace_id, baggage.get_baggage("correlation_id")]))
        done.set()
        return Ack()
    consuming = asyncio.create_task(bus.consume(DELIVERY.name, "delivery", deliver, in_flight=1))
    caller = NonRecordingSpan(SpanContext(0xabc, 0xdef, True, TraceFlags(flag)))
    context.attach(baggage.set_baggage("correlation_id", "corr-1", set_span_in_context(caller)))
    with span("outer"):
        await bus.publish(DELIVERY_TICKET, b"", message_id="a")
    await done.wait()
    consuming.cancel()
    await asyncio.gather(consuming, return_exceptions=True)
    await telemetry.close()

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


def run(endpoint: str, flag: int) -> object:
    command = [sys.executable, "-c", SCRIPT, endpoint, str(flag)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout)


async def test_a_sampled_trace_is_one_tree_over_the_bus(otlp: OtlpReceiver) -> None:
    bound = await asyncio.to_thread(run, otlp.endpoint, 1)

    assert bound == [0xABC, "corr-1"]
    assert otlp.tree_of(f"{0xABC:032x}") == (
        "tested: outer\n  tested: publish delivery.ticket\n    tested: process delivery.ticket\n      tested: inner"
    )
    assert {span.kind for span in otlp.spans} == {"INTERNAL", "PRODUCER", "CONSUMER"}
    assert {span.attributes["correlation_id"] for span in otlp.spans} == {"corr-1"}


async def test_an_unsampled_trace_is_carried_on_and_not_recorded(otlp: OtlpReceiver) -> None:
    bound = await asyncio.to_thread(run, otlp.endpoint, 0)

    assert bound == [0xABC, "corr-1"]
    assert otlp.spans == []
