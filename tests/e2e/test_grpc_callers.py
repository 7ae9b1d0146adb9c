"""Callers that dial the services directly pass the same door and get the same guarantees."""

import uuid
from collections.abc import Iterator

import grpc
import pytest
from contactsync.contact.v1 import contact_pb2
from contactsync.idempotency.v1 import idempotency_service_pb2, idempotency_service_pb2_grpc
from contactsync.ingestion.v1 import ingestion_service_pb2, ingestion_service_pb2_grpc, job_pb2
from google.rpc import error_details_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status

from libs.cli.stack.hub import Hub
from libs.cli.stack.plan import SERVICES
from tests.e2e.partner import Partner
from tests.e2e.test_import_path import mobile


@pytest.fixture(scope="module")
def ingestion(hub: Hub) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(hub.plan.address("ingestion")) as channel:
        yield channel


def _request(phone: str) -> ingestion_service_pb2.ImportContactsRequest:
    contact = contact_pb2.Contact(phone=phone, tags=["лид"], additional_fields_json=b'{"source":"grpc"}')
    return ingestion_service_pb2.ImportContactsRequest(idempotency_key=str(uuid.uuid4()), contacts=[contact])


def _reason(error: grpc.RpcError) -> str:
    status = rpc_status.from_call(error)
    assert status is not None
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert info.domain == "contactsync"
    return str(info.reason)


@pytest.mark.parametrize("service", SERVICES)
def test_reflection_lists_the_service(hub: Hub, service: str) -> None:
    with grpc.insecure_channel(hub.plan.address(service)) as channel:
        listed = ProtoReflectionDescriptorDatabase(channel).get_services()

    assert any(name.startswith(f"contactsync.{service}.v1.") for name in listed)
    assert "grpc.health.v1.Health" in listed


def test_import_with_a_key_is_the_same_import(ingestion: grpc.Channel, partner: Partner) -> None:
    stub = ingestion_service_pb2_grpc.IngestionServiceStub(ingestion)
    metadata = (("authorization", f"Bearer {partner.api_key}"), ("x-correlation-id", "grpc-1"))
    request = _request(mobile())

    first = stub.ImportContacts(request, metadata=metadata, timeout=30)
    again = stub.ImportContacts(request, metadata=metadata, timeout=30)

    assert (first.replayed, again.replayed) == (False, True)
    assert first.job_id == again.job_id
    assert first.correlation_id == again.correlation_id == "grpc-1"
    assert partner.finished(first.job_id)["sent_contacts"] == 1


def test_watching_a_job_ends_with_its_last_state(ingestion: grpc.Channel, partner: Partner) -> None:
    stub = ingestion_service_pb2_grpc.IngestionServiceStub(ingestion)
    metadata = (("authorization", f"Bearer {partner.api_key}"),)
    job_id = stub.ImportContacts(_request(mobile()), metadata=metadata, timeout=30).job_id

    seen = [
        answer.job.status
        for answer in stub.WatchJob(ingestion_service_pb2.WatchJobRequest(job_id=job_id), metadata=metadata, timeout=60)
    ]

    assert seen[-1] == job_pb2.JOB_STATUS_COMPLETED


def test_stream_is_one_job(ingestion: grpc.Channel, partner: Partner) -> None:
    stub = ingestion_service_pb2_grpc.IngestionServiceStub(ingestion)
    metadata = (("authorization", f"Bearer {partner.api_key}"),)
    parts = [
        ingestion_service_pb2.ImportContactStreamRequest(
            idempotency_key=str(uuid.uuid4()) if not place else "", contacts=[contact_pb2.Contact(phone=mobile())] * 2
        )
        for place in range(3)
    ]

    accepted = stub.ImportContactStream(iter(parts), metadata=metadata, timeout=30).accepted

    assert accepted.total_contacts == 6
    assert partner.finished(accepted.job_id)["sent_contacts"] == 6


@pytest.mark.parametrize(
    "metadata", [(), (("authorization", "Bearer nonsense"),), (("x-contactsync-service", "delivery"),)]
)
def test_caller_without_a_key_is_refused(ingestion: grpc.Channel, metadata: tuple[tuple[str, str], ...]) -> None:
    stub = ingestion_service_pb2_grpc.IngestionServiceStub(ingestion)

    with pytest.raises(grpc.RpcError) as refused:
        stub.ImportContacts(_request(mobile()), metadata=metadata, timeout=30)

    assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
    assert _reason(refused.value) == "UNAUTHORIZED"


def test_internal_method_is_closed_to_clients(hub: Hub, partner: Partner) -> None:
    item = idempotency_service_pb2.BeginItem(client_id="x", key="k", body_hash=bytes(32), fingerprint=bytes(32))
    with grpc.insecure_channel(hub.plan.address("idempotency")) as channel:
        stub = idempotency_service_pb2_grpc.IdempotencyServiceStub(channel)
        with pytest.raises(grpc.RpcError) as refused:
            stub.BeginMany(
                idempotency_service_pb2.BeginManyRequest(items=[item]),
                metadata=(("authorization", f"Bearer {partner.api_key}"),),
                timeout=30,
            )

    assert _reason(refused.value) == "FORBIDDEN"


def test_invalid_request_names_the_field(ingestion: grpc.Channel, partner: Partner) -> None:
    stub = ingestion_service_pb2_grpc.IngestionServiceStub(ingestion)

    with pytest.raises(grpc.RpcError) as refused:
        stub.ImportContacts(
            ingestion_service_pb2.ImportContactsRequest(idempotency_key="k"),
            metadata=(("authorization", f"Bearer {partner.api_key}"),),
            timeout=30,
        )

    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert _reason(refused.value) == "VALIDATION_ERROR"
