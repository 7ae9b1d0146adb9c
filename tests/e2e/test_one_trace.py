"""A request is one trace, from the gateway's span to the write at the destination, and holds nobody's data."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from libs.cli.stack.hub import Hub, running_hub
from libs.cli.stack.traces import Tracing
from tests.e2e.test_import_path import mobile
from tests.fakes.webhook import Status, WebhookFake
from tests.fixtures.hub import admin_of
from tests.fixtures.otlp import CaughtSpan, OtlpReceiver
from tests.fixtures.partner import Partner, create_client
from tests.fixtures.places import DATABASE, choose_place, grown

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("hub")]

PATH_OF_AN_IMPORT = [
    ("gateway", "SERVER", "/v1/contacts/import"),
    ("ingestion", "SERVER", "contactsync.ingestion.v1.ImportApi/Import"),
    ("idempotency", "SERVER", "idempotency.Begin"),
    ("normalization", "SERVER", "normalization.Normalize"),
    ("idempotency", "SERVER", "idempotency.Complete"),
    ("ingestion", "PRODUCER", "publish delivery.ticket"),
    ("delivery", "CONSUMER", "process delivery.ticket"),
    ("delivery", "INTERNAL", "delivery.send"),
    ("directory", "SERVER", "directory.Apply"),
    ("ingestion", "SERVER", "ingestion.RecordOutcome"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def collector() -> AsyncIterator[OtlpReceiver]:
    receiver = OtlpReceiver()
    await receiver.start()
    yield receiver
    await receiver.stop()


@pytest.fixture(scope="module")
def traced_hub(collector: OtlpReceiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub of its own, which the other tests' requests do not reach."""
    data = tmp_path_factory.mktemp("traced")
    settings = {"CONTACTSYNC_EGRESS_ALLOW": "127.0.0.0/8", "CONTACTSYNC_LOG_LEVEL": "DEBUG"}
    choose_place(data)
    tracing = Tracing(endpoint=collector.endpoint)
    with running_hub(data, port=0, shape=grown(), tracing=tracing, settings=settings) as hub:
        yield hub


@pytest.fixture(scope="module")
def traced_admin(traced_hub: Hub) -> Iterator[httpx.Client]:
    with admin_of(traced_hub) as client:
        yield client


async def caught(collector: OtlpReceiver, correlation_id: str, names: list[str]) -> list[CaughtSpan]:
    """The spans of a request's one trace, once as many of each name are there."""

    def of_the_request() -> list[CaughtSpan]:
        return [span for span in collector.spans if span.attributes.get("correlation_id") == correlation_id]

    def complete() -> bool:
        there = [span.name for span in of_the_request()]
        began = any(span.service == "gateway" for span in of_the_request())
        return began and all(there.count(name) >= names.count(name) for name in names)

    try:
        await collector.until(complete)
    except TimeoutError:
        pytest.fail("\n".join(f"{span.service}: {span.name}" for span in of_the_request()))
    (trace_id,) = {span.trace_id for span in of_the_request()}
    return collector.trace_of(trace_id)


def assert_one_tree(collector: OtlpReceiver, spans: list[CaughtSpan], correlation_id: str) -> None:
    tree = collector.tree_of(spans[0].trace_id)
    (root,) = collector.roots_of(spans[0].trace_id)
    assert (root.service, root.parent_id) == ("gateway", ""), tree
    assert {span.attributes.get("correlation_id") for span in spans} == {correlation_id}, tree


def assert_absent(secrets: list[str], collector: OtlpReceiver, data: Path) -> None:
    """Neither a span in all its parts nor a log holds one of them."""
    logs = {file.name: file.read_bytes() for file in (data / "log").iterdir()}
    places = logs | {f"export {index}": raw for index, raw in enumerate(collector.raw)}
    assert {"gateway.log", "ingestion.log", "delivery.log", "directory.log", "access.log"} <= logs.keys()
    assert [(secret, place) for secret in secrets for place in places if secret.encode() in places[place]] == []


async def test_import_is_one_tree_from_the_gateway_to_the_book(
    traced_hub: Hub, traced_admin: httpx.Client, collector: OtlpReceiver
) -> None:
    correlation_id, key, phone, bad = f"trace-{uuid.uuid4()}", str(uuid.uuid4()), mobile(), "8 (900) 12"
    contact = {"phone": phone, "tags": ["одна-трасса"], "additionalFields": {"first_name": "Аграфена"}}
    rows = [contact, {"phone": bad, "additionalFields": {"first_name": "Евпраксия"}}]

    with create_client(traced_hub, traced_admin, rate=1000) as partner:
        # These leave before the import's spans do, and their paths hold what no span may.
        await asyncio.to_thread(partner.get, f"/v1/idempotency/{key}")
        await asyncio.to_thread(traced_admin.get, "/admin/v1/contacts", params={"phone": phone})
        accepted = await asyncio.to_thread(partner.post, rows, key=key, X_Correlation_ID=correlation_id)
        job = await asyncio.to_thread(partner.finished, accepted.json()["job_id"])
    spans = await caught(collector, correlation_id, [name for _, _, name in PATH_OF_AN_IMPORT])

    assert (job["status"], job["sent_contacts"], job["invalid_contacts"]) == ("completed", 1, 1)
    assert_one_tree(collector, spans, correlation_id)
    of_databases = [span for span in spans if "db.system.name" in span.attributes]
    # Each once, but on a machine so busy that a question was asked again. Access is asked where its word is too old.
    calls = {(span.service, span.kind, span.name) for span in spans if span not in of_databases}
    assert calls - {("access", "SERVER", "access.Authenticate")} == set(PATH_OF_AN_IMPORT)
    stores = {span.service for span in of_databases}
    assert stores - {"access"} == {"ingestion", "idempotency", "delivery", "directory"}
    assert {(span.kind, span.attributes["db.system.name"]) for span in of_databases} == {("CLIENT", DATABASE)}
    secrets = [phone, phone[2:], bad, "Аграфена", "Евпраксия", "одна-трасса", key, partner.api_key]
    assert_absent(secrets, collector, traced_hub.plan.folder.root)


async def test_retry_of_a_webhook_is_in_the_trace_of_its_import(
    traced_hub: Hub, traced_admin: httpx.Client, collector: OtlpReceiver
) -> None:
    correlation_id, phone = f"retry-{uuid.uuid4()}", mobile()

    async with WebhookFake() as receiver:
        receiver.next.append(Status(503))
        body = {"kind": "DESTINATION_KIND_WEBHOOK", "url": receiver.url, "retry": {"first_delay": "1s"}}
        made = (await asyncio.to_thread(traced_admin.post, "/admin/v1/destinations", json=body)).json()
        with create_client(traced_hub, traced_admin, rate=1000, destination_ids=[made["destination"]["id"]]) as partner:
            await asyncio.to_thread(import_one, partner, phone, correlation_id)
        spans = await caught(collector, correlation_id, ["delivery.send"] * 2 + ["ingestion.RecordOutcome"] * 2)

    assert_one_tree(collector, spans, correlation_id)
    tries = [span for span in spans if span.name == "delivery.send"]
    posts = [span for span in spans if span.name == "POST"]
    assert [span.attributes["http.response.status_code"] for span in posts] == [503, 200]
    assert [span.parent_id for span in posts] == [span.span_id for span in tries]
    assert [(span.failed, span.attributes.get("error.type")) for span in tries] == [(True, "503"), (False, None)]
    assert tries[1].links == tuple(span.span_id for span in collector.named("delivery.Wake"))
    assert_absent([phone, phone[2:], made["secret"], partner.api_key], collector, traced_hub.plan.folder.root)
    sent = [arrival.headers["traceparent"].split("-")[1:3] for arrival in receiver.arrivals]
    assert sent == [[span.trace_id, span.span_id] for span in posts]


def import_one(partner: Partner, phone: str, correlation_id: str) -> None:
    accepted = partner.post([{"phone": phone}], X_Correlation_ID=correlation_id).json()
    assert partner.finished(accepted["job_id"])["status"] == "completed"
