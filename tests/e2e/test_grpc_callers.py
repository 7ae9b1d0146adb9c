"""Callers that dial the services directly pass the same door and get the same guarantees."""

import uuid
from collections.abc import AsyncIterator

import grpc
import grpc.aio
import pytest
from contactsync.contact.v1 import contact_pb2
from contactsync.idempotency.v1 import idempotency_service_pb2, idempotency_service_pb2_grpc
from contactsync.ingestion.v1 import ingestion_service_pb2, job_pb2
from contactsync.ingestion.v1.ingestion_service_pb2_grpc import IngestionServiceStub as Stub
from google.rpc import error_details_pb2, status_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status.rpc_status import GRPC_DETAILS_METADATA_KEY

from libs.cli.stack.hub import Hub
from libs.cli.stack.plan import SERVICES
from tests.e2e.test_import_path import mobile
from tests.fixtures.hub import dial, operator_tls
from tests.fixtures.partner import Partner


@pytest.fixture
async def ingestion(hub: Hub) -> AsyncIterator[Stub]:
    async with dial(hub, "ingestion") as channel:
        yield Stub(channel)


def _request(phone: str) -> ingestion_service_pb2.ImportContactsRequest:
    contact = contact_pb2.Contact(phone=phone, tags=["лид"], additional_fields_json=b'{"source":"grpc"}')
    return ingestion_service_pb2.ImportContactsRequest(idempotency_key=str(uuid.uuid4()), contacts=[contact])


def _reason(error: grpc.aio.AioRpcError) -> str:
    details = dict(error.trailing_metadata())[GRPC_DETAILS_METADATA_KEY]
    assert isinstance(details, bytes)
    info = error_details_pb2.ErrorInfo()
    assert status_pb2.Status.FromString(details).details[0].Unpack(info)
    assert info.domain == "contactsync"
    return str(info.reason)


@pytest.mark.parametrize("service", SERVICES)
def test_reflection_lists_the_service(hub: Hub, service: str) -> None:
    with operator_tls(hub).to(service).blocking_channel(hub.plan.address(service), ()) as channel:
        listed = ProtoReflectionDescriptorDatabase(channel).get_services()

    assert any(name.startswith(f"contactsync.{service}.v1.") for name in listed)
    assert "grpc.health.v1.Health" in listed


async def test_import_with_a_key_is_the_same_import(ingestion: Stub, partner: Partner) -> None:
    metadata = (("authorization", f"Bearer {partner.api_key}"), ("x-correlation-id", "grpc-1"))
    request = _request(mobile())

    first = await ingestion.ImportContacts(request, metadata=metadata, timeout=30)
    again = await ingestion.ImportContacts(request, metadata=metadata, timeout=30)

    assert (first.replayed, again.replayed) == (False, True)
    assert first.job_id == again.job_id
    assert first.correlation_id == again.correlation_id == "grpc-1"
    assert partner.finished(first.job_id)["sent_contacts"] == 1


async def test_watching_a_job_ends_with_its_last_state(ingestion: Stub, partner: Partner) -> None:
    metadata = (("authorization", f"Bearer {partner.api_key}"),)
    accepted = await ingestion.ImportContacts(_request(mobile()), metadata=metadata, timeout=30)

    watched = ingestion_service_pb2.WatchJobRequest(job_id=accepted.job_id)
    seen = [answer.job.status async for answer in ingestion.WatchJob(watched, metadata=metadata, timeout=60)]

    assert seen[-1] == job_pb2.JOB_STATUS_COMPLETED


async def test_stream_is_one_job(ingestion: Stub, partner: Partner) -> None:
    metadata = (("authorization", f"Bearer {partner.api_key}"),)
    parts = [
        ingestion_service_pb2.ImportContactStreamRequest(
            idempotency_key=str(uuid.uuid4()) if not place else "", contacts=[contact_pb2.Contact(phone=mobile())] * 2
        )
        for place in range(3)
    ]

    answer = await ingestion.ImportContactStream(iter(parts), metadata=metadata, timeout=30)

    assert answer.accepted.total_contacts == 6
    assert partner.finished(answer.accepted.job_id)["sent_contacts"] == 6


@pytest.mark.parametrize(
    "metadata", [(), (("authorization", "Bearer nonsense"),), (("x-contactsync-service", "delivery"),)]
)
async def test_caller_without_a_key_is_refused(ingestion: Stub, metadata: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await ingestion.ImportContacts(_request(mobile()), metadata=metadata, timeout=30)

    assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
    assert _reason(refused.value) == "UNAUTHORIZED"


async def test_internal_method_is_closed_to_clients(hub: Hub, partner: Partner) -> None:
    item = idempotency_service_pb2.BeginItem(client_id="x", key="k", body_hash=bytes(32), fingerprint=bytes(32))
    request = idempotency_service_pb2.BeginManyRequest(items=[item])
    metadata = (("authorization", f"Bearer {partner.api_key}"),)

    async with dial(hub, "idempotency") as channel:
        stub = idempotency_service_pb2_grpc.IdempotencyServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.BeginMany(request, metadata=metadata, timeout=30)

    assert _reason(refused.value) == "FORBIDDEN"


async def test_invalid_request_names_the_field(ingestion: Stub, partner: Partner) -> None:
    request = ingestion_service_pb2.ImportContactsRequest(idempotency_key="k")
    metadata = (("authorization", f"Bearer {partner.api_key}"),)

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await ingestion.ImportContacts(request, metadata=metadata, timeout=30)

    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert _reason(refused.value) == "VALIDATION_ERROR"
