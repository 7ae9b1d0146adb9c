"""Items of many requests share a message, and each stays in the trace of its own."""

import asyncio
import json
import subprocess
import sys

from tests.fixtures.otlp import OtlpReceiver

SCRIPT = """
import asyncio, json, sys
from dataclasses import dataclass
from libs.bus import delivering_items, publishing_items
from libs.telemetry import configure_telemetry

@dataclass
class Item:
    correlation_id: str
    traceparent: str

async def main(endpoint):
    telemetry = configure_telemetry(service="tested", version="1", otlp_endpoint=endpoint)
    sampled = Item("corr-a", f"00-{0xa:032x}-{1:016x}-01")
    others = [Item("corr-b", f"00-{0xb:032x}-{2:016x}-00"), Item("corr-c", "")]
    with publishing_items("s", [sampled, *others]) as sent:
        pass
    try:
        with delivering_items("s", [Item("corr-a", sent[0]), *others]) as worked:
            raise ValueError("+79001234567")
    except ValueError:
        pass
    await telemetry.close()
    print(json.dumps([sent, worked]))

asyncio.run(main(sys.argv[1]))
"""


async def test_each_item_stays_in_the_trace_of_its_request(otlp: OtlpReceiver) -> None:
    command = [sys.executable, "-c", SCRIPT, otlp.endpoint]
    finished = await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True, text=True, timeout=60)
    sent, worked = json.loads(finished.stdout)

    publishing, delivering = sorted(otlp.spans, key=lambda span: span.kind, reverse=True)
    assert (publishing.kind, delivering.kind) == ("PRODUCER", "CONSUMER")
    assert {(span.trace_id, span.attributes["correlation_id"]) for span in otlp.spans} == {(f"{0xA:032x}", "corr-a")}
    assert [publishing.parent_id, delivering.parent_id] == [f"{1:016x}", publishing.span_id]
    assert (delivering.failed, b"+79001234567" in b"".join(otlp.raw)) == (True, False)
    assert sent == [f"00-{0xA:032x}-{publishing.span_id}-01", f"00-{0xB:032x}-{2:016x}-00", ""]
    assert worked == [f"00-{0xA:032x}-{delivering.span_id}-01", *sent[1:]]
