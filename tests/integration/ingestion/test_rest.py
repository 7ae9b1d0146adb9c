"""The import API as it comes out of ingestion, byte for byte."""

import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.empty_pb2 import Empty

from tests.fixtures.databases import OpenFresh
from tests.integration.ingestion.hub import Answered, Hub, answered, running

CONTACT = {"phone": "8 (900) 123-45-67", "tags": ["лид"], "additionalFields": {"b": 1, "a": [1.50]}}


@pytest.fixture
async def hub(open_fresh: OpenFresh, tmp_path: Path) -> AsyncIterator[Hub]:
    async with running(open_fresh, tmp_path) as hub:
        yield hub


async def post(hub: Hub, body: object, *, key: str = "", **options: Any) -> Answered:
    return await hub.post(body, idempotency_key=key or str(uuid.uuid4()), **options)


async def test_an_import_is_accepted_and_shown(hub: Hub) -> None:
    accepted = await post(hub, [CONTACT, {"phone": "nonsense"}], x_correlation_id="request-7")

    job = await hub.get(accepted.json["job_id"])

    assert accepted.status == 202
    assert accepted.headers["x-correlation-id"] == "request-7"
    assert list(accepted.json.items())[1:-1] == [
        ("correlation_id", "request-7"),
        ("idempotency_status", "created"),
        ("status", "pending"),
        ("total_contacts", 2),
        ("valid_contacts", 1),
        ("invalid_contacts", 1),
        ("chunks_count", 1),
    ]
    assert (job.status, job.json["status"], job.json["total_contacts"]) == (200, "pending", 2)
    ticket = await hub.ticket()
    assert [ref.chunk_id for ref in ticket.deliveries] == [f"{accepted.json['job_id']}.0"]
    assert ticket.deliveries[0].correlation_id == "request-7"


async def test_a_replay_is_the_first_answer_and_marked(hub: Hub) -> None:
    first = await post(hub, CONTACT, key="k")
    again = await post(hub, json.dumps(CONTACT, indent=2, sort_keys=True).encode(), key='"k"')

    assert (again.status, again.body) == (202, first.body)
    assert (first.headers.get("idempotent-replayed"), again.headers["idempotent-replayed"]) == (None, "true")


async def test_a_conflict_is_told_with_the_time_of_the_first(hub: Hub) -> None:
    first = await post(hub, CONTACT, key="k")
    other = await post(hub, [CONTACT], key="k")

    assert other.status == 422
    assert other.json == {
        "error": "idempotency_conflict",
        "message": "Idempotency key reused with different payload",
        "existing_created_at": other.json["existing_created_at"],
    }
    assert other.json["existing_created_at"] <= first.json["created_at"]


async def test_a_dry_run_shows_what_would_happen_and_stores_nothing(hub: Hub) -> None:
    body = [CONTACT, {"phone": "invalid"}]
    answer = await post(hub, body, key="k", x_debug="TRUE", x_correlation_id="request-8")
    accepted = await post(hub, [CONTACT], key="k")

    assert answer.status == 200
    assert (
        answer.body
        == '{"correlation_id":"request-8","total_contacts":2,"valid_contacts":1,"invalid_contacts":1,'
        '"chunks_count":1,"validation_results":[{"original_phone":"8 (900) 123-45-67",'
        '"normalized_phone":"+79001234567","is_valid":true,"error":null,"tags":["лид"],'
        '"additional_fields":{"b": 1, "a": [1.5]}},{"original_phone":"invalid","normalized_phone":null,'
        '"is_valid":false,"error":"Invalid phone number","tags":[],"additional_fields":{}}],'
        '"chunks":[{"chunk_index":0,"size":1,"contacts":[{"phone":"+79001234567","tags":["лид"],'
        '"additionalFields":{"b": 1, "a": [1.5]}}]}],"message":"Dry-run mode: no data sent to AI"}'.encode()
    )
    assert accepted.status == 202


async def test_a_missing_key_is_told_in_the_words_of_the_contract(hub: Hub) -> None:
    answer = await hub.post(CONTACT)

    assert (answer.status, answer.json) == (
        400,
        {"error": "validation_error", "message": "Idempotency-Key header is required"},
    )


@pytest.mark.parametrize("content_type", ["", "text/plain"])
async def test_another_content_type_is_refused(hub: Hub, content_type: str) -> None:
    answer = await post(hub, CONTACT, content_type=content_type)

    assert (answer.status, answer.json["error"]) == (400, "validation_error")


async def test_an_import_without_a_valid_row_is_refused_row_by_row(hub: Hub) -> None:
    answer = await post(hub, [{"phone": "nonsense"}, {"phone": "8900"}])

    assert (answer.status, answer.json["message"]) == (400, "Request validation failed")
    assert answer.json["details"] == [
        {"pointer": "/0/phone", "code": "not_a_number", "message": "Invalid phone number"},
        {"pointer": "/1/phone", "code": "too_short", "message": "Invalid phone number: too short"},
    ]


async def test_of_many_faults_a_hundred_are_told_and_all_are_counted(hub: Hub) -> None:
    answer = await post(hub, [{"phone": 1}] * 500)

    assert (answer.status, len(answer.json["details"]), answer.json["total_errors"]) == (400, 100, 500)


async def test_too_many_rows_are_refused(hub: Hub) -> None:
    answer = await post(hub, [{"phone": "1"}] * 10_001)

    assert (answer.status, answer.json["error"]) == (413, "payload_too_large")


async def test_a_large_import_is_cut_into_chunks(hub: Hub) -> None:
    body = [{"phone": f"8900{number:07d}", "tags": ["лид"]} for number in range(2500)]

    accepted = await post(hub, body)
    job = await hub.get(accepted.json["job_id"])

    assert accepted.json["valid_contacts"] == 2500
    assert [chunk["size"] for chunk in job.json["chunks"]] == [1000, 1000, 500]


@pytest.mark.parametrize("client", ["other", "shop"])
async def test_another_clients_job_and_none_look_alike(hub: Hub, client: str) -> None:
    accepted = await post(hub, CONTACT, client="other" if client == "shop" else "shop")

    answer = await hub.get(accepted.json["job_id"], client=client)
    none = await hub.get(str(uuid.uuid4()), client=client)

    assert (answer.status, answer.json["error"]) == (404, "not_found")
    assert answer.body == none.body


async def test_health_and_readiness_are_told_without_a_key(hub: Hub) -> None:
    health = await answered(hub.rest.GetHealth(Empty()))
    ready = await answered(hub.rest.GetReadiness(Empty()))

    assert (health.status, ready.status) == (200, 200)
    assert list(health.json) == ["status", "version", "timestamp", "checks"]
    assert (health.json["status"], health.json["checks"]) == ("healthy", {})
    assert ready.json["checks"] == {"database": {"status": "healthy", "message": "Database connection OK"}}
