"""The book on a real channel, behind its door, over a real database."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from contactsync.call.v1.call_pb2 import CallContext
from contactsync.directory.v1 import directory_service_pb2 as pb
from contactsync.directory.v1.directory_service_pb2_grpc import DirectoryServiceStub
from contactsync.ingestion.v1 import job_pb2
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from libs.rpc import ClientCaller, ClientId, Door, Identity, Peer, PeerRefused, RpcServer, RpcSettings, Scope, tracing
from services.directory.domain.delivery import RowState
from services.directory.main import MIGRATIONS, compose, compose_operating, registration
from services.directory.peers.memory import MemoryPhones
from services.directory.store.stores import sql_stores
from tests.fixtures.databases import OpenFresh

SERVICE_KEY = bytes(range(32))
CLIENTS = {
    "admin": ClientCaller(ClientId("admin"), frozenset({Scope.ADMIN}), rate=1000.0),
    "partner": ClientCaller(ClientId("partner"), frozenset({Scope.IMPORT, Scope.READ}), rate=1000.0),
}


async def authenticate(key: str) -> ClientCaller | None:
    return CLIENTS.get(key)


@dataclass
class Calls:
    """Delivery, and an operator."""

    address: str
    peer: Peer
    channel: grpc.aio.Channel

    async def apply(self, *items: pb.ApplyItem) -> list[pb.ApplyResult]:
        stub = DirectoryServiceStub(self.peer.channel)
        response: pb.ApplyManyResponse = await self.peer.call(stub.ApplyMany, pb.ApplyManyRequest(items=items))
        return [*response.results]

    async def ask(self, method: str, request: Any, *, key: str = "admin") -> Any:
        stub = DirectoryServiceStub(self.channel)
        return await getattr(stub, method)(request, metadata=(("authorization", f"Bearer {key}"),), timeout=10)

    async def list(self, **request: Any) -> pb.ListContactsResponse:
        response: pb.ListContactsResponse = await self.ask("ListContacts", pb.ListContactsRequest(**request))
        return response


def item(delivery_id: str, *contacts: dict[str, Any], traceparent: str = "") -> pb.ApplyItem:
    return pb.ApplyItem(
        context=CallContext(correlation_id="c-1", traceparent=traceparent),
        delivery_id=delivery_id,
        client_id="partner",
        contacts_json=json.dumps(contacts, ensure_ascii=False).encode(),
    )


def contact(number: int, **fields: Any) -> dict[str, Any]:
    return {"phone": f"+7900{number:07d}", "tags": [], "additionalFields": {}, **fields}


@pytest.fixture
async def calls(open_fresh: OpenFresh) -> AsyncIterator[Calls]:
    database = await open_fresh(MIGRATIONS)
    door = Door(identity=Identity("directory", SERVICE_KEY), authenticate=authenticate)
    stores = await sql_stores(database, clock=lambda: datetime.now(UTC))
    server = RpcServer(
        RpcSettings(listen="127.0.0.1:0"),
        [registration(compose(stores), compose_operating(stores, phones=MemoryPhones()))],
        door=door,
        ready=database.check,
    )
    await server.start()
    address = f"127.0.0.1:{server.port}"
    peer = Peer(address, identity=Identity("delivery", SERVICE_KEY))
    async with grpc.aio.insecure_channel(address) as channel:
        yield Calls(address, peer, channel)
    await peer.close()
    await server.stop()


async def test_deliveries_are_applied_and_told_row_by_row(calls: Calls) -> None:
    first, second, malformed = await calls.apply(
        item("d1", contact(1), contact(1, tags=["лид"]), {"phone": 7}),
        item("d2", contact(2)),
        pb.ApplyItem(delivery_id="d3", client_id="partner", contacts_json=b"{}"),
    )
    [again] = await calls.apply(item("d1", contact(1), contact(1, tags=["лид"]), {"phone": 7}))

    assert first.row_states == bytes([job_pb2.ROW_STATE_CREATED, job_pb2.ROW_STATE_UPDATED, job_pb2.ROW_STATE_FAILED])
    assert [failure.position for failure in first.failures] == [2]
    assert again == first
    assert second.row_states == bytes([job_pb2.ROW_STATE_CREATED])
    assert malformed.row_states == b""
    assert malformed.failures[0].reason


def test_row_states_are_those_of_the_contract() -> None:
    numbers = {f"ROW_STATE_{state.name}": state.value for state in RowState}

    assert numbers.items() <= dict(job_pb2.RowState.items()).items()


async def test_a_contact_is_shown_as_it_is_known(calls: Calls) -> None:
    given = contact(
        1,
        tags=["лид", "сайт"],
        additionalFields={"firstName": "Иван", "email": "Ivan@Example.com", "n": 1.5},
        phones=[{"number": "+79990000000", "label": "work"}],
        type="lead",
        external_id="100",
    )
    await calls.apply(item("d", given))

    [shown] = (await calls.list(query="ИВАН")).contacts

    assert shown.contact.phone == "+79000000001"
    assert [(phone.number, phone.label) for phone in shown.contact.phones] == [("+79990000000", "work")]
    assert [email.email for email in shown.contact.emails] == ["Ivan@Example.com"]
    assert (shown.contact.first_name, shown.contact.external_id, shown.contact.type) == ("Иван", "100", 2)
    assert list(shown.contact.tags) == ["лид", "сайт"]
    assert json.loads(shown.additional_fields) == given["additionalFields"]
    assert (shown.version, shown.created_at) == (1, shown.updated_at)
    got = await calls.ask("GetContact", pb.GetContactRequest(contact_id=shown.contact_id))
    assert got.contact == shown


async def test_a_walk_through_the_pages_shows_every_contact_once(calls: Calls) -> None:
    await calls.apply(item("d", *(contact(n) for n in range(25))))

    phones, token, pages = [], "", 0
    while token or not pages:
        page = await calls.list(page_size=10, page_token=token)
        phones += [each.contact.phone for each in page.contacts]
        token, pages = page.next_page_token, pages + 1
        assert page.total_contacts == 25

    assert (pages, phones) == (3, [contact(n)["phone"] for n in range(25)])


async def test_a_deleted_contact_is_not_found(calls: Calls) -> None:
    await calls.apply(item("d", contact(1)))
    [shown] = (await calls.list()).contacts

    await calls.ask("DeleteContact", pb.DeleteContactRequest(contact_id=shown.contact_id))

    assert (await calls.list()).total_contacts == 0
    for method, request in (
        ("GetContact", pb.GetContactRequest(contact_id=shown.contact_id)),
        ("DeleteContact", pb.DeleteContactRequest(contact_id=shown.contact_id)),
        ("GetContact", pb.GetContactRequest(contact_id="'\x00 no id")),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await calls.ask(method, request)
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize(
    "request_",
    [
        {"page_token": "no token"},
        {"page_token": "0" * 36},
        {"page_size": -1},
        {"page_size": 1001},
        {"query": "a\x00"},
        {"phone": "\x00"},
    ],
)
async def test_a_bad_listing_is_refused(calls: Calls, request_: dict[str, Any]) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await calls.list(**request_)

    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_only_delivery_applies_and_only_an_admin_looks(calls: Calls) -> None:
    stranger = Peer(calls.address, identity=Identity("ingestion", SERVICE_KEY))

    with pytest.raises(PeerRefused) as refused:
        await stranger.call(
            DirectoryServiceStub(stranger.channel).ApplyMany, pb.ApplyManyRequest(items=[item("d", contact(1))])
        )
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await calls.ask("ListContacts", pb.ListContactsRequest(), key="partner")
    await stranger.close()

    assert refused.value.reason == "FORBIDDEN"
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_each_delivery_is_a_span_of_its_own_request(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    spans, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    monkeypatch.setattr(tracing, "_TRACER", provider.get_tracer("test"))
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    await calls.apply(item("d1", contact(1), traceparent=traceparent), item("d2", contact(2)))

    [span] = [span for span in spans.get_finished_spans() if span.name == "directory.Apply"]
    assert span.parent is not None
    assert (span.context.trace_id, span.parent.span_id) == (0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331)
    assert span.attributes is not None
    assert span.attributes["correlation_id"] == "c-1"
    assert not any("7900" in str(value) for value in span.attributes.values())
