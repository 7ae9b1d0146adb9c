"""The numbers of a process, as Prometheus and a collector get them."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import grpc
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import (
    MetricsServiceServicer,
    add_MetricsServiceServicer_to_server,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from libs.measures import About, Counter, Gauge, Histogram, Measures
from libs.telemetry.metrics import telling

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


@dataclass
class Part:
    """Some part of a process, with one instrument of each kind."""

    rows: Counter = field(
        default_factory=lambda: Counter(About(name="tested.rows", text="R.", unit="{row}", labels=("tested.state",)))
    )
    age: Gauge = field(default_factory=lambda: Gauge(About(name="tested.age", text="A.", unit="s")))
    calls: Histogram = field(
        default_factory=lambda: Histogram(
            About(name="tested.call", text="C.", unit="s", labels=("tested.method",)), bounds=(0.1, 1.0)
        )
    )
    waits: float = 0.0

    @property
    def measures(self) -> Measures:
        return Measures(instruments=(self.rows, self.age, self.calls), surveys=(self._look,))

    async def _look(self) -> None:
        if self.waits < 0:
            raise OSError
        self.age.show(self.waits)


async def ask(port: int, *, path: str = "/metrics", accept: str = "") -> tuple[str, Mapping[str, str], str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\n\r\n".encode())
    head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    status, *headers = head.split("\r\n")
    return status, dict(header.split(": ", 1) for header in headers), body


async def samples(port: int) -> Mapping[tuple[str, tuple[str, ...]], float]:
    _, _, body = await ask(port)
    families = read_text(body)
    return {(each.name, tuple(each.labels.values())): each.value for family in families for each in family.samples}


async def test_prometheus_reads_what_was_counted() -> None:
    part = Part(waits=3.0)
    part.rows.add(("accepted",), 7)
    part.calls.record(0.5, ("Import",))

    async with telling("tested", part.measures, listen="127.0.0.1:0") as port:
        seen = await samples(port)

    assert seen["tested_rows_total", ("accepted",)] == 7
    assert seen["tested_age_seconds", ()] == 3
    assert seen["tested_call_seconds_bucket", ("0.1", "Import")] == 0
    assert seen["tested_call_seconds_bucket", ("1.0", "Import")] == 1
    assert seen["tested_call_seconds_count", ("Import",)] == 1
    assert seen["tested_call_seconds_sum", ("Import",)] == 0.5
    assert seen["process_thread_count", ()] >= 1


async def test_the_span_of_a_value_is_its_exemplar_in_openmetrics() -> None:
    part = Part()
    part.calls.record(0.5, ("Import",), span=(0xABC, 0xDEF))

    async with telling("tested", part.measures, listen="127.0.0.1:0") as port:
        _, headers, body = await ask(port, accept=OPENMETRICS)

    assert headers["Content-Type"].startswith("application/openmetrics-text")
    families = read_openmetrics(body)  # type: ignore[no-untyped-call]  # only its values are of use
    buckets = [each for family in families for each in family.samples if "tested_call" in each.name]
    [exemplar] = [each.exemplar for each in buckets if each.exemplar]
    assert exemplar.labels == {"trace_id": f"{0xABC:032x}", "span_id": f"{0xDEF:016x}"}
    assert exemplar.value == 0.5


async def test_what_was_never_counted_is_named_all_the_same() -> None:
    async with telling("tested", Part().measures, listen="127.0.0.1:0") as port:
        _, _, body = await ask(port)

    assert "# TYPE tested_rows_total counter" in body
    assert "# TYPE tested_call_seconds histogram" in body


async def test_a_number_that_cannot_be_looked_at_costs_no_other() -> None:
    part = Part(waits=-1.0)
    part.rows.add(("accepted",))

    async with telling("tested", part.measures, listen="127.0.0.1:0") as port:
        seen = await samples(port)

    assert seen["tested_rows_total", ("accepted",)] == 1
    assert ("tested_age_seconds", ()) not in seen


@pytest.mark.parametrize("path", ["/", "/metricsx", "/metrics/x"])
async def test_nothing_else_is_served(path: str) -> None:
    async with telling("tested", Part().measures, listen="127.0.0.1:0") as port:
        status, _, _ = await ask(port, path=path)

    assert status == "HTTP/1.1 404 Not Found"


async def test_many_ask_at_once() -> None:
    async with telling("tested", Part().measures, listen="127.0.0.1:0") as port:
        answers = await asyncio.gather(*(ask(port) for _ in range(8)))

    assert {status for status, _, _ in answers} == {"HTTP/1.1 200 OK"}


async def test_a_taken_port_costs_the_numbers_alone() -> None:
    async with (
        telling("tested", Part().measures, listen="127.0.0.1:0") as port,
        telling("tested", Part().measures, listen=f"127.0.0.1:{port}") as other,
    ):
        assert other == 0


def test_a_process_that_nobody_asks_holds_no_exporter() -> None:
    program = """
import asyncio, sys
from libs.telemetry.metrics import telling
async def main():
    async with telling("tested", listen="127.0.0.1:0"):
        print(sorted({"opentelemetry.sdk", "prometheus_client", "opentelemetry.metrics"} & set(sys.modules)))
asyncio.run(main())
"""

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "[]"


class Collector(MetricsServiceServicer):
    def __init__(self) -> None:
        self.got: asyncio.Queue[ExportMetricsServiceRequest] = asyncio.Queue()

    async def Export(  # noqa: N802 - gRPC gives it its name
        self, request: ExportMetricsServiceRequest, context: object
    ) -> ExportMetricsServiceResponse:
        self.got.put_nowait(request)
        return ExportMetricsServiceResponse()

    async def metrics(self) -> Mapping[str, Metric]:
        [resource] = (await self.got.get()).resource_metrics
        [scope] = resource.scope_metrics
        return {metric.name: metric for metric in scope.metrics}


@pytest.fixture
async def collector() -> AsyncIterator[tuple[Collector, str]]:
    servicer, server = Collector(), grpc.aio.server()
    add_MetricsServiceServicer_to_server(servicer, server)  # type: ignore[no-untyped-call]  # generated without types
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield servicer, f"http://127.0.0.1:{port}"
    await server.stop(None)


async def test_a_collector_gets_the_same_numbers_by_otlp(collector: tuple[Collector, str]) -> None:
    part = Part(waits=2.0)
    part.rows.add(("accepted",), 7)
    part.calls.record(0.5, ("Import",), span=(0xABC, 0xDEF))

    async with telling("tested", part.measures, otlp_endpoint=collector[1]):
        metrics = await collector[0].metrics()

    assert metrics["tested.rows"].sum.data_points[0].as_int == 7
    assert metrics["tested.rows"].sum.is_monotonic
    assert metrics["tested.age"].gauge.data_points[0].as_double == 2
    [calls] = metrics["tested.call"].histogram.data_points
    assert (list(calls.bucket_counts), calls.count, calls.sum) == ([0, 1, 0], 1, 0.5)
    assert calls.exemplars[0].trace_id.hex() == f"{0xABC:032x}"


async def test_what_was_counted_last_is_sent_at_the_end(collector: tuple[Collector, str]) -> None:
    part = Part()

    async with telling("tested", part.measures, otlp_endpoint=collector[1]):
        await collector[0].metrics()
        part.rows.add(("late",), 1)
    last = await collector[0].metrics()

    assert last["tested.rows"].sum.data_points[0].as_int == 1
