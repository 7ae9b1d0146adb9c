"""Items of many requests share a message, and each stays in the trace of its own."""

import asyncio
import json
import subprocess
import sys

from tests.fixtures.otlp import OtlpReceiver

SCRIPT = """
import asyncio, json, sys
from dataclasses import dataclass
from libs.bus import DELIVERY, DELIVERY_TICKET, Ack, MemoryBus, delivering_items, publishing_items
from libs.telemetry import configure_telemetry, span

@dataclass
class Item:
    correlation_id: str
    traceparent: str

def about(item):
    return {"chunk_id": item.correlation_id.replace("corr", "chunk")}

async def main(endpoint):
    telemetry = configure_telemetry(service="tested", version="1", otlp_endpoint=endpoint)
    bus, done, worked = MemoryBus(), asyncio.Event(), []
    items = [Item("corr-a", f"00-{0xa:032x}-{1:016x}-01"), Item("corr-b", f"00-{0xb:032x}-{2:016x}-00"),
             Item("corr-c", ""), Item("corr-d", f"00-{0xd:032x}-{4:016x}-01")]
    async def deliver(message):
        try:
            came = [Item(item.correlation_id, traceparent) for item, traceparent in zip(items, sent)]
            with delivering_items(message.subject, came, about) as traceparents:
                worked.extend(traceparents)
                raise ValueError("+79001234567")
        except ValueError:
            done.set()
            return Ack()
    consuming = asyncio.create_task(bus.consume(DELIVERY.name, "delivery", deliver, in_flight=1))
    with publishing_items(DELIVERY_TICKET, items, about) as sent:
        await bus.publish(DELIVERY_TICKET, b"", message_id="m")
    await done.wait()
    consuming.cancel()
    await asyncio.gather(consuming, return_exceptions=True)
    await telemetry.close()
    print(json.dumps([sent, worked]))

asyncio.run(main(sys.argv[1]))
"""


async def run(otlp: OtlpReceiver) -> tuple[list[str], list[str]]:
    command = [sys.executable, "-c", SCRIPT, otlp.endpoint]
    finished = await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True, text=True, timeout=60)
    sent, worked = json.loads(finished.stdout)
    return sent, worked


async def test_each_item_stays_in_the_trace_of_its_request(otlp: OtlpReceiver) -> None:
    sent, worked = await run(otlp)

    publishing, delivering = sorted(otlp.trace_of(f"{0xA:032x}"), key=lambda span: span.kind, reverse=True)
    assert (publishing.kind, delivering.kind) == ("PRODUCER", "CONSUMER")
    assert {(span.attributes["correlation_id"], span.attributes["chunk_id"]) for span in (publishing, delivering)} == {
        ("corr-a", "chunk-a")
    }
    assert [publishing.parent_id, delivering.parent_id] == [f"{1:016x}", publishing.span_id]
    assert (delivering.failed, delivering.attributes["error.type"]) == (True, "ValueError")
    assert b"+79001234567" not in b"".join(otlp.raw)
    assert sent[:3] == [f"00-{0xA:032x}-{publishing.span_id}-01", f"00-{0xB:032x}-{2:016x}-00", ""]
    assert worked[:3] == [f"00-{0xA:032x}-{delivering.span_id}-01", *sent[1:3]]


async def test_what_came_in_one_message_is_linked_to_it(otlp: OtlpReceiver) -> None:
    await run(otlp)

    (of_message, *_), (_, delivering) = (
        sorted(otlp.trace_of(f"{number:032x}"), key=lambda span: span.kind, reverse=True) for number in (0xA, 0xD)
    )
    assert len(otlp.spans) == 4
    assert {span.attributes["messaging.batch.message_count"] for span in otlp.spans} == {4}
    assert delivering.links == (of_message.span_id,)
