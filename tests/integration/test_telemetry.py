"""Telemetry as a process has it: configured once, with a collector that comes and goes."""

import asyncio
import json
import subprocess
import sys
import textwrap
import time
from typing import Any

import pytest
from opentelemetry import baggage, context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from libs.telemetry.exporting import Exporting
from tests.fixtures.otlp import OtlpReceiver
from tests.fixtures.waiting import PATIENCE_SECONDS

AT_ONCE_SECONDS = 10.0
"""More than a machine shared with others takes for what waits for nobody, and less than waiting for a collector."""


def exporting_to(otlp: OtlpReceiver) -> Exporting:
    return Exporting(Resource.create({"service.name": "tested"}), ALWAYS_ON, otlp.endpoint)


def run(script: str) -> tuple[list[dict[str, Any]], str]:
    """Run a script in its own process, and return the JSON lines it logged and its standard output."""
    prelude = "import asyncio, logging, sys, structlog\nfrom libs.telemetry import *\n"
    ended = subprocess.run(
        [sys.executable, "-c", prelude + textwrap.dedent(script)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return [json.loads(line) for line in ended.stderr.splitlines()], ended.stdout


async def test_spans_arrive_as_a_tree_with_the_correlation_id(otlp: OtlpReceiver) -> None:
    exporting = exporting_to(otlp)
    tracer = exporting.provider.get_tracer("test")
    token = context.attach(baggage.set_baggage("correlation_id", "corr-1"))

    with tracer.start_as_current_span("outer"), tracer.start_as_current_span("inner", attributes={"n": 1}):
        pass
    context.detach(token)
    await exporting.close()

    (inner,) = otlp.named("inner")
    assert otlp.tree_of(inner.trace_id) == "tested: outer\n  tested: inner"
    assert inner.attributes == {"n": 1, "correlation_id": "corr-1"}
    assert [root.name for root in otlp.roots_of(inner.trace_id)] == ["outer"]


async def test_an_absent_collector_costs_no_time_and_one_line(
    otlp: OtlpReceiver, capsys: pytest.CaptureFixture[str]
) -> None:
    exporting = exporting_to(otlp)
    tracer = exporting.provider.get_tracer("test")
    await otlp.stop()

    started = time.monotonic()
    for _ in range(6000):  # more than the queue holds
        tracer.start_span("lost").end()
    spent = time.monotonic() - started
    started = time.monotonic()
    await exporting.close()

    assert spent < AT_ONCE_SECONDS
    assert time.monotonic() - started < AT_ONCE_SECONDS
    assert capsys.readouterr().out.count("trace_collector_unavailable") <= 1


async def test_a_slow_collector_holds_nobody_up(otlp: OtlpReceiver) -> None:
    exporting = exporting_to(otlp)
    tracer = exporting.provider.get_tracer("test")
    otlp.gate.clear()

    started = time.monotonic()
    for _ in range(2000):
        tracer.start_span("late").end()
    spent = time.monotonic() - started
    started = time.monotonic()
    await exporting.close()

    assert spent < AT_ONCE_SECONDS
    assert time.monotonic() - started < AT_ONCE_SECONDS


async def test_spans_flow_again_when_the_collector_is_back(
    otlp: OtlpReceiver, capsys: pytest.CaptureFixture[str]
) -> None:
    exporting = exporting_to(otlp)
    tracer = exporting.provider.get_tracer("test")
    await otlp.stop()
    tracer.start_span("lost").end()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while "trace_collector_unavailable" not in capsys.readouterr().out:  # noqa: ASYNC110 - output has no event
            await asyncio.sleep(0.05)

    await otlp.start()
    tracer.start_span("found").end()
    await otlp.until(lambda: bool(otlp.named("found")))
    await exporting.close()

    assert "trace_collector_back" in capsys.readouterr().out


def test_a_line_carries_trace_span_and_correlation_id() -> None:
    lines, _ = run("""
        from opentelemetry import baggage, context
        configure_telemetry(service="tested", version="1")
        context.attach(baggage.set_baggage("correlation_id", "corr-1"))
        with span("work"):
            structlog.get_logger().info("it_happened", job_id="j1")
    """)

    (line,) = lines
    assert line["event"] == "it_happened"
    assert line["service"] == "tested"
    assert (line["correlation_id"], line["job_id"]) == ("corr-1", "j1")
    assert (len(line["trace_id"]), len(line["span_id"])) == (32, 16)


def test_no_way_of_logging_shows_contact_data() -> None:
    lines, _ = run("""
        configure_telemetry(service="tested", version="1", level="DEBUG")
        log = structlog.get_logger()
        log.info("direct", phone=Phone("+79001234567"), contact={"email": ["john@doe.example"]}, text="+79001234567")
        logging.getLogger("library").warning("cannot call %s", "+79001234567")
        try:
            raise ValueError("bad row: +79001234567, john@doe.example")
        except ValueError:
            log.exception("failed")
            logging.getLogger("library").exception("failed")
        raise ValueError("last words: john@doe.example")
    """)

    assert len(lines) == 5
    assert "1234567" not in str(lines)
    assert "john" not in str(lines)
    assert lines[-1]["event"] == "uncaught_exception"


def test_libraries_are_heard_from_warning_up() -> None:
    lines, _ = run("""
        configure_telemetry(service="tested", version="1")
        logging.getLogger("library").info("chatter")
        logging.getLogger("library").warning("trouble")
    """)

    assert [(line["event"], line["logger"]) for line in lines] == [("trouble", "library")]


def test_without_an_endpoint_ids_exist_and_nothing_is_recorded() -> None:
    _, printed = run("""
        import threading
        from opentelemetry import propagate
        telemetry = configure_telemetry(service="tested", version="1")
        with span("outer") as outer, span("inner"):
            headers = {}
            propagate.inject(headers)
            print(outer.is_recording(), int(headers["traceparent"][-2:], 16) & 1, len(headers["traceparent"]))
        asyncio.run(telemetry.close())
        print(threading.active_count())
    """)

    assert printed.split() == ["False", "0", "55", "1"]


def test_a_process_with_an_absent_collector_ends_in_time() -> None:
    started = time.monotonic()

    lines, printed = run("""
        telemetry = configure_telemetry(service="tested", version="1", otlp_endpoint="http://127.0.0.1:1")
        with span("lost"):
            pass
        asyncio.run(telemetry.close())
        print("closed")
    """)

    assert printed == "closed\n"
    # Said where the end waits long enough for the first try to have failed.
    assert [line["event"] for line in lines] in ([], ["trace_collector_unavailable"])
    assert time.monotonic() - started < 3 * AT_ONCE_SECONDS


def test_an_exception_marks_the_span_by_type_alone() -> None:
    _, printed = run("""
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        trace.set_tracer_provider(TracerProvider())
        try:
            with span("work", kind=CLIENT, size=3) as current:
                raise ValueError("+79001234567")
        except ValueError:
            print(current.status.description, len(current.events), current.kind.name, dict(current.attributes))
    """)

    assert printed == "ValueError 0 CLIENT {'size': 3, 'error.type': 'ValueError'}\n"


def test_the_level_can_be_changed_while_the_process_runs() -> None:
    lines, _ = run("""
        configure_telemetry(service="tested", version="1")
        log, library = structlog.get_logger(), logging.getLogger("library")
        def speak():
            log.debug("ours_in_detail")
            log.warning("ours_aloud")
            library.info("library_in_detail")
        speak()
        logging.getLogger("contactsync").setLevel("DEBUG")
        speak()
        logging.getLogger("contactsync").setLevel("ERROR")
        speak()
    """)

    assert [line["event"] for line in lines] == ["ours_aloud", "ours_in_detail", "ours_aloud", "library_in_detail"]
