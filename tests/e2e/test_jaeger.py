"""What the real Jaeger has of a request, and what becomes of the hub when Jaeger is slow, dies and comes back."""

import asyncio
import os
import signal
import subprocess
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from gateway.tracing import Sampling
from libs.cli.jaeger import Jaeger, Span, Trace
from libs.cli.stack.hub import Hub, running_hub
from libs.cli.stack.plan import SERVICES, service_of
from libs.cli.stack.traces import Tracing
from tests.e2e.test_cli import COMMAND, run
from tests.e2e.test_import_path import mobile
from tests.e2e.test_sources import SECRETS, contact, serving
from tests.fakes.contact_source import Book, ContactSourceFake
from tests.fakes.webhook import Status, WebhookFake
from tests.fixtures.hub import admin_of
from tests.fixtures.jaeger import BUILD_SECONDS
from tests.fixtures.partner import Partner, create_client
from tests.fixtures.places import choose_place, grown
from tests.fixtures.waiting import look

pytestmark = [pytest.mark.xdist_group("jaeger"), pytest.mark.timeout(BUILD_SECONDS)]

PARTS = (
    "access.Authenticate",
    "idempotency.Begin",
    "normalization.Normalize",
    "idempotency.Complete",
    "POST",
    "POST",
    "directory.Apply",
    *["ingestion.RecordOutcome"] * 3,
)
# As many spans as a process may keep for a collector that is away take some 10 MB; the rest is what load costs anyway.
MOST_GROWTH = 64 * 1024**2


@pytest.fixture(scope="module")
def traced(jaeger_program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub as `up` starts it with a jaeger on PATH, but that everything is traced."""
    data = tmp_path_factory.mktemp("traced")
    tracing = Tracing(jaeger=jaeger_program, sampling=Sampling(share=1.0))
    settings = {"CONTACTSYNC_EGRESS_ALLOW": "127.0.0.0/8"}
    choose_place(data)
    with running_hub(data, port=0, shape=grown(), tracing=tracing, settings=settings) as hub:
        yield hub


@pytest.fixture(scope="module")
def operator(traced: Hub) -> Iterator[httpx.Client]:
    with admin_of(traced) as client:
        yield client


def whole_trace(hub: Hub, correlation_id: str, *names: str) -> Trace:
    """The one trace of a correlation id, once it has no orphan and spans of these names, as often as they are named."""

    def find() -> Trace | None:
        found = Jaeger(hub.plan.jaeger_url).traces_of(correlation_id)
        if len(found) != 1 or found[0].orphans:
            return None
        missing = Counter(names) - Counter(span.name for span in found[0].spans)
        return None if missing else found[0]

    return look(find, what="the whole trace")


def parents(trace: Trace, *names: str) -> list[str]:
    """For each span of these names, the names from it up to the root."""
    by_id = {span.span_id: span for span in trace.spans}

    def line(span: Span) -> str:
        above = by_id.get(span.parent_id)
        return span.name if above is None else f"{span.name} < {line(above)}"

    return [line(span) for span in trace.spans if span.name in names]


async def test_an_import_with_a_retry_is_one_trace_of_all_services(traced: Hub, operator: httpx.Client) -> None:
    correlation_id = f"jaeger-{uuid.uuid4()}"

    async with WebhookFake() as receiver:
        receiver.next.append(Status(503))
        body = {"kind": "DESTINATION_KIND_WEBHOOK", "url": receiver.url, "retry": {"first_delay": "1s"}}
        made = (await asyncio.to_thread(operator.post, "/admin/v1/destinations", json=body)).json()["destination"]
        with create_client(traced, operator, destination_ids=[made["id"], "directory"]) as partner:
            await asyncio.to_thread(import_one, partner, correlation_id)
    trace = await asyncio.to_thread(whole_trace, traced, correlation_id, *PARTS)

    way = (
        "process delivery.ticket < publish delivery.ticket < contactsync.ingestion.v1.ImportApi/Import"
        " < /v1/contacts/import"
    )
    assert {span.service for span in trace.spans} == {"gateway", *SERVICES} - {"source_polling", "console"}
    assert {span.attributes["correlation_id"] for span in trace.spans} == {correlation_id}
    ours = [span for span in trace.spans if span.kind == "server" and span.service != "gateway"]
    assert {span.attributes["rpc.system.name"] for span in ours} == {"grpc"}
    assert parents(trace, "POST") == [f"POST < delivery.send < {way}"] * 2
    assert parents(trace, "directory.Apply") == [f"directory.Apply < delivery.send < {way}"]
    told = [(span.error, span.attributes["http.response.status_code"]) for span in trace.spans if span.name == "POST"]
    assert told == [("503", 503), ("", 200)]


def test_a_polling_run_is_one_trace_up_to_the_book(traced: Hub) -> None:
    data = traced.plan.folder.root
    with serving(ContactSourceFake(Book([contact(1, mobile())]))) as fake:
        made = run("sources", "create", "--kind", "custom", "--url", fake.url, *SECRETS, data=data)
        ran = run("sources", "sync", made["id"], "--wait", data=data)
        trace = whole_trace(traced, ran["run_id"], "directory.Apply", "normalization.Normalize", "GET")

    assert [root.name for root in trace.roots] == ["source_polling.Run"]
    assert trace.roots[0].attributes["source_id"] == made["id"]
    assert {"source_polling", "ingestion", "normalization", "delivery", "directory"} <= {
        span.service for span in trace.spans
    }
    assert {span.attributes["http.response.status_code"] for span in trace.spans if span.name == "GET"} == {200}


def test_trace_prints_the_tree(traced: Hub, operator: httpx.Client) -> None:
    correlation_id, data = f"printed-{uuid.uuid4()}", traced.plan.folder.root
    with create_client(traced, operator) as partner:
        import_one(partner, correlation_id)
    whole_trace(traced, correlation_id, "directory.Apply", "ingestion.RecordOutcome")

    told = run("trace", correlation_id, data=data)["traces"][0]
    printed = said("trace", correlation_id, data=data)

    assert (told["orphans"], told["tree"][0]["service"]) == (0, "gateway")
    assert told["tree"][0]["children"][0]["name"] == "contactsync.ingestion.v1.ImportApi/Import"
    assert "└── gateway /v1/contacts/import" in printed.stdout
    assert told["url"] in printed.stdout
    assert "directory directory.Apply" in printed.stdout


def test_trace_says_that_there_is_none(traced: Hub) -> None:
    finished = said("trace", "nobody-sent-this", data=traced.plan.folder.root)

    assert finished.returncode == 1
    assert "has no trace of nobody-sent-this" in finished.stderr


def test_a_collector_that_hangs_dies_and_comes_back_costs_spans_alone(traced: Hub, operator: httpx.Client) -> None:
    with create_client(traced, operator, rate=10000) as partner, under_load(partner) as statuses:
        time.sleep(2)  # what load itself costs in memory is not meant
        before, killed = memory_of(traced), pid_of(traced, "jaeger")
        os.kill(killed, signal.SIGSTOP)
        logged(traced, "trace_collector_unavailable")
        os.kill(killed, signal.SIGKILL)
        logged(traced, "trace_collector_back")
        growth = {name: grown - before[name] for name, grown in memory_of(traced).items()}
        correlation_id = f"again-{uuid.uuid4()}"
        import_one(partner, correlation_id)
    trace = whole_trace(traced, correlation_id, "ingestion.RecordOutcome")

    assert set(statuses) == {202}
    assert {name: grown for name, grown in growth.items() if grown > MOST_GROWTH} == {}
    assert [root.service for root in trace.roots] == ["gateway"]
    assert pid_of(traced, "jaeger") != killed


def import_one(partner: Partner, correlation_id: str) -> None:
    accepted = partner.post([{"phone": mobile()}], X_Correlation_ID=correlation_id).json()
    assert partner.finished(accepted["job_id"])["status"] == "completed"


def said(*arguments: str, data: Path) -> subprocess.CompletedProcess[str]:
    command = [COMMAND, *arguments, "--data", str(data)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


@contextmanager
def under_load(partner: Partner, *, callers: int = 3) -> Iterator[list[int]]:
    """Imports without a pause while the block runs; their statuses."""
    statuses: list[int] = []
    done = threading.Event()

    def call() -> None:
        while not done.is_set():
            statuses.append(partner.post([{"phone": mobile()}]).status_code)

    threads = [threading.Thread(target=call) for _ in range(callers)]
    for thread in threads:
        thread.start()
    try:
        yield statuses
    finally:
        done.set()
        for thread in threads:
            thread.join()


def pid_of(hub: Hub, program: str) -> int:
    return int(hub.supervisor.processes()[program]["pid"])


def memory_of(hub: Hub) -> dict[str, int]:
    """Resident bytes of every process that sends spans."""
    programs: dict[str, Any] = hub.supervisor.processes()
    return {
        name: psutil.Process(each["pid"]).memory_info().rss
        for name, each in programs.items()
        if service_of(name) not in {"nats", "jaeger"}
    }


def logged(hub: Hub, event: str) -> None:
    """Waits until a service that is under load has said so."""
    log = hub.plan.folder.root / "log" / "ingestion.log"
    look(lambda: event in log.read_text() or None, what=event)
