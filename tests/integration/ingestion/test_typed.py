"""The typed contract of ingestion on a real channel."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from contactsync.contact.v1.contact_pb2 import Contact, LabeledEmail, LabeledPhone
from contactsync.ingestion.v1 import ingestion_service_pb2 as pb
from contactsync.ingestion.v1 import job_pb2
from contactsync.ingestion.v1.ingestion_service_pb2_grpc import IngestionServiceStub
from google.protobuf.timestamp_pb2 import Timestamp

from libs.rpc import Identity, Peer, PeerRefused
from tests.fixtures.databases import OpenFresh
from tests.integration.ingestion.hub import SERVICE_KEY, Hub, by, running

CONTACTS = [
    Contact(phone="89001234567", tags=["лид"], additional_fields_json=b'{"k" : 1}'),
    Contact(emails=[LabeledEmail(email="Anna@EXAMPLE.com")], phones=[LabeledPhone(number="12")]),
    Contact(phone="12"),
]


@pytest.fixture
async def hub(open_fresh: OpenFresh, tmp_path: Path) -> AsyncIterator[Hub]:
    async with running(open_fresh, tmp_path) as hub:
        yield hub


async def imported(hub: Hub, *contacts: Contact, key: str = "k", client: str = "shop", **options: Any) -> Any:
    request = pb.ImportContactsRequest(idempotency_key=key, contacts=contacts or CONTACTS, **options)
    return await hub.typed.ImportContacts(request, metadata=by(client))


def outcome(job_id: str, states: bytes, **given: Any) -> pb.DeliveryOutcome:
    values = {"destination_id": "directory", "attempt_count": 1, "final": True, "attempted_at": now(), **given}
    return pb.DeliveryOutcome(chunk_id=f"{job_id}.0", row_states=states, **values)


def now() -> Timestamp:
    stamp = Timestamp()
    stamp.GetCurrentTime()
    return stamp


async def tell(hub: Hub, *outcomes: pb.DeliveryOutcome) -> None:
    await hub.delivery.call(hub.as_delivery.RecordOutcomes, pb.RecordOutcomesRequest(outcomes=outcomes))


async def test_contacts_are_imported_once_for_a_key(hub: Hub) -> None:
    first = await imported(hub)
    again = await imported(hub)

    assert (first.total_contacts, first.valid_contacts, first.invalid_contacts, first.chunks_count) == (3, 2, 1, 1)
    assert (first.replayed, again.replayed) == (False, True)
    assert (again.job_id, again.created_at) == (first.job_id, first.created_at)


async def test_a_stream_is_one_import(hub: Hub) -> None:
    async def parts() -> AsyncIterator[pb.ImportContactStreamRequest]:
        yield pb.ImportContactStreamRequest(idempotency_key="s", contacts=CONTACTS[:1])
        yield pb.ImportContactStreamRequest(contacts=CONTACTS[1:])

    done = await hub.typed.ImportContactStream(parts(), metadata=by("shop"))

    assert (done.accepted.total_contacts, done.accepted.valid_contacts) == (3, 2)


async def test_a_source_lands_in_its_workspace_and_keeps_its_own_ids(hub: Hub) -> None:
    origin = pb.Origin(source_id="src_1", workspace_id="w", destination_ids=["hook"], default_region="DE")
    poller = Peer(hub.address, identity=Identity("source_polling", SERVICE_KEY))
    request = pb.ImportContactsRequest(idempotency_key="k", contacts=[Contact(phone="030 901820")], origin=origin)
    done = await poller.call(IngestionServiceStub(poller.channel).ImportContacts, request)

    [ref] = (await hub.ticket()).deliveries
    asked = pb.FetchChunksRequest(chunk_ids=[f"{done.job_id}.0"])
    [chunk] = (await hub.delivery.call(hub.as_delivery.FetchChunks, asked)).chunks
    await poller.close()

    assert ref.destination_id == "hook"
    assert (chunk.client_id, chunk.workspace_id, chunk.source_id) == ("source.src_1", "w", "src_1")
    assert json.loads(chunk.contacts_json)[0]["phone"] == "+4930901820"


async def test_a_client_may_not_say_where_its_contacts_come_from(hub: Hub) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await imported(hub, origin=pb.Origin(source_id="src_1"))

    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_dry_run_stores_nothing(hub: Hub) -> None:
    done = await imported(hub, dry_run=True)
    listed = await hub.typed.ListJobs(pb.ListJobsRequest(), metadata=by("shop"))

    assert (done.job_id, done.valid_contacts) == ("", 2)
    assert not listed.jobs


async def test_delivery_gets_the_chunks_it_asks_for(hub: Hub) -> None:
    done = await imported(hub)

    request = pb.FetchChunksRequest(chunk_ids=[f"{done.job_id}.0", "none.0"])
    response = await hub.delivery.call(hub.as_delivery.FetchChunks, request)

    chunk, unknown = response.chunks
    assert (chunk.client_id, chunk.size, unknown.chunk_id) == ("shop", 2, "")
    assert b'"additionalFields":{"k" : 1}' in chunk.contacts_json
    contacts = json.loads(chunk.contacts_json)
    assert [contact["phone"] for contact in contacts] == ["+79001234567", ""]
    assert contacts[1]["emails"] == [{"email": "Anna@example.com", "label": "other"}]
    assert contacts[1]["phones"] == [{"number": "12", "label": "other"}]


async def test_rows_are_listed_with_all_that_is_known_of_them(hub: Hub) -> None:
    done = await imported(hub)
    await tell(hub, outcome(done.job_id, b"\2\6", reasons=[pb.RowReason(position=1, reason="No phone.")]))

    request = pb.ListRowsRequest(job_id=done.job_id, page_size=2)
    first = await hub.typed.ListRows(request, metadata=by("shop"))
    request.page_token = first.next_page_token
    last = await hub.typed.ListRows(request, metadata=by("shop"))
    request = pb.ListRowsRequest(job_id=done.job_id, state="failed")
    failed = await hub.typed.ListRows(request, metadata=by("shop"))

    good, mailed = first.rows
    (rejected,) = last.rows
    assert (good.original_phone, good.normalized_phone, good.region) == ("89001234567", "+79001234567", "RU")
    assert good.decided_by == "default_region"
    assert list(mailed.remarks) == ["/contacts/1/phones/0: too_short"]
    assert mailed.destinations[0].reason == "No phone."
    assert (rejected.code, rejected.pointer, last.next_page_token) == ("too_short", "/contacts/2/phone", "")
    assert [row.row_index for row in failed.rows] == [1]
    (counted,) = failed.destinations
    assert {job_pb2.RowState.Name(each.state): each.count for each in counted.counts} == {
        "ROW_STATE_CREATED": 1,
        "ROW_STATE_REJECTED": 1,
        "ROW_STATE_FAILED": 1,
    }


async def test_failed_rows_are_delivered_again(hub: Hub) -> None:
    done = await imported(hub)
    await tell(hub, outcome(done.job_id, b"\2\6"))
    await hub.ticket()

    retried = await hub.typed.RetryJob(pb.RetryJobRequest(job_id=done.job_id), metadata=by("admin"))
    ticket = await hub.ticket()
    await tell(hub, outcome(done.job_id, b"\2\2", round=1))
    ended = await hub.typed.GetJob(pb.GetJobRequest(job_id=done.job_id), metadata=by("admin"))

    assert (retried.retried_rows, retried.job.status) == (1, job_pb2.JOB_STATUS_PROCESSING)
    assert [(ref.round, list(ref.positions)) for ref in ticket.deliveries] == [(1, [1])]
    assert ended.job.status == job_pb2.JOB_STATUS_COMPLETED
    assert ended.job.chunks[0].attempt_count == 2


async def test_a_job_is_watched_to_its_end(hub: Hub) -> None:
    done = await imported(hub)
    call = hub.typed.WatchJob(pb.WatchJobRequest(job_id=done.job_id), metadata=by("shop"), timeout=20)
    watched = aiter(call)

    first = await anext(watched)
    await tell(hub, outcome(done.job_id, b"\2\2"))
    rest = [message.job.status async for message in watched]

    assert first.job.status == job_pb2.JOB_STATUS_PENDING
    assert rest == [job_pb2.JOB_STATUS_COMPLETED]


async def test_clients_see_their_own_jobs_and_the_operator_all(hub: Hub) -> None:
    one, other = await imported(hub, client="shop"), await imported(hub, client="other")

    seen = {
        client: [job.job_id for job in (await hub.typed.ListJobs(pb.ListJobsRequest(), metadata=by(client))).jobs]
        for client in ("shop", "other", "admin")
    }
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await hub.typed.GetJob(pb.GetJobRequest(job_id=one.job_id), metadata=by("other"))

    assert seen == {"shop": [one.job_id], "other": [other.job_id], "admin": [other.job_id, one.job_id]}
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_jobs_are_listed_page_by_page(hub: Hub) -> None:
    jobs = [(await imported(hub, key=f"k{number}")).job_id for number in range(3)]
    request = pb.ListJobsRequest(page_size=2)

    first = await hub.typed.ListJobs(request, metadata=by("shop"))
    request.page_token = first.next_page_token
    last = await hub.typed.ListJobs(request, metadata=by("shop"))

    assert [job.job_id for job in (*first.jobs, *last.jobs)] == jobs[::-1]
    assert last.next_page_token == ""


@pytest.mark.parametrize("states", [b"\0\2", b"\5\2", b"\2", b"\2\2\2"])
async def test_outcomes_that_cannot_be_are_refused(hub: Hub, states: bytes) -> None:
    done = await imported(hub)

    with pytest.raises(Exception) as caught:  # noqa: PT011 - PeerRefused says no more in its text
        await tell(hub, outcome(done.job_id, states))

    assert getattr(caught.value, "reason", "") == "VALIDATION_ERROR"


async def by_poller(hub: Hub, contacts_json: bytes, *contacts: Contact, key: str = "k") -> Any:
    origin = pb.Origin(source_id="src_1")
    request = pb.ImportContactsRequest(
        idempotency_key=key, contacts_json=contacts_json, contacts=contacts, origin=origin
    )
    poller = Peer(hub.address, identity=Identity("source_polling", SERVICE_KEY))
    try:
        return await poller.call(IngestionServiceStub(poller.channel).ImportContacts, request)
    finally:
        await poller.close()


WRITTEN = """[{"external_id":"7","first_name":"Анна","last_name":"","company":"","type":"lead",
"phones":[{"value":"8 900 123-45-67","label":"work"},{"value":"12","label":"other"}],
"emails":[{"value":"A@EXAMPLE.com","label":"private"}],"tags":["t"],"extra":{"n":123456789012345678901234567890}},
{"external_id":"8","deleted":true},{"phones":[{"value":"12"}]}]""".encode()


async def test_a_sources_contacts_are_taken_as_its_poller_writes_them(hub: Hub) -> None:
    done = await by_poller(hub, WRITTEN)
    again = await by_poller(hub, WRITTEN)

    asked = pb.FetchChunksRequest(chunk_ids=[f"{done.job_id}.0"])
    [chunk] = (await hub.delivery.call(hub.as_delivery.FetchChunks, asked)).chunks
    assert (done.total_contacts, done.valid_contacts, again.job_id, again.replayed) == (3, 2, done.job_id, True)
    assert json.loads(chunk.contacts_json) == [
        {
            "phone": "+79001234567",
            "tags": ["t"],
            "additionalFields": {"n": 123456789012345678901234567890},
            "phones": [{"number": "+79001234567", "label": "work"}, {"number": "12", "label": "other"}],
            "emails": [{"email": "A@example.com", "label": "private"}],
            "first_name": "Анна",
            "type": "lead",
            "external_id": "7",
        },
        {"phone": "", "tags": [], "additionalFields": {}, "external_id": "8", "deleted": True},
    ]


@pytest.mark.parametrize(
    "text",
    [
        b"[]",
        b"{}",
        b'[{"external_id":1}]',
        b'[{"external_id":"1","phones":[{"value":""}]}]',
        b'[{"external_id":"1","phones":[{"value":"1","label":"moon"}]}]',
        b'[{"external_id":"1","type":"god"}]',
        b'[{"external_id":"1","extra":[]}]',
        b'[{"external_id":"1","extra":{"a":1,"a":2}}]',
        b'[{"external_id":"1","first_name":"\\u0000"}]',
        b'[{"external_id":"%s"}]' % (b"1" * 257),
    ],
)
async def test_what_a_poller_may_not_write_is_refused(hub: Hub, text: bytes) -> None:
    with pytest.raises(PeerRefused) as refused:
        await by_poller(hub, text)

    assert refused.value.reason == "VALIDATION_ERROR"


async def test_contacts_come_in_one_form(hub: Hub) -> None:
    with pytest.raises(PeerRefused) as both:
        await by_poller(hub, WRITTEN, *CONTACTS)
    with pytest.raises(PeerRefused) as none:
        await by_poller(hub, b"")

    assert both.value.violations[0].pointer == "/contacts_json"
    assert none.value.violations[0].pointer == "/contacts"


async def test_a_client_gives_contacts_as_messages(hub: Hub) -> None:
    request = pb.ImportContactsRequest(idempotency_key="k", contacts_json=WRITTEN)

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await hub.typed.ImportContacts(request, metadata=by("shop"))

    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
