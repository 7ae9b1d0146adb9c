"""The main job, through the real gateway: an import is normalised, stored, delivered, and can be followed."""

import itertools
import json
import random
import re
import uuid
from datetime import datetime, timedelta

import httpx
import pytest

from libs.cli.stack.hub import Hub
from tests.fixtures.partner import Partner, create_client

RFC_3339 = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


_numbers = itertools.count(random.SystemRandom().randrange(10**7))


def mobile() -> str:
    """A Russian mobile number that no other test of this process has, and so nobody of its hubs."""
    return f"+7901{next(_numbers) % 10**7:07d}"


def test_russian_contact_arrives_in_the_book(partner: Partner, admin: httpx.Client) -> None:
    phone = mobile()
    contact = {
        "phone": f"8{phone[2:]}",
        "tags": ["лид", "сайт"],
        "additionalFields": {"first_name": "Пётр", "бюджет": 100},
    }

    accepted = partner.post(contact)
    job = partner.finished(accepted.json()["job_id"])

    assert accepted.status_code == 202
    assert list(accepted.json()) == [
        "job_id", "correlation_id", "idempotency_status", "status", "total_contacts", "valid_contacts",
        "invalid_contacts", "chunks_count", "created_at",
    ]  # fmt: skip
    assert accepted.json()["idempotency_status"] == "created"
    assert accepted.json()["status"] == "pending"
    assert UUID.match(accepted.json()["job_id"])
    assert RFC_3339.match(accepted.json()["created_at"])
    assert job["status"] == "completed"
    assert job["sent_contacts"] == 1
    assert job["chunks"][0]["status"] == "sent"
    found = admin.get("/admin/v1/contacts", params={"phone": phone}).json()["contacts"]
    assert [each["contact"]["phone"] for each in found] == [phone]
    assert found[0]["contact"]["tags"] == ["лид", "сайт"]
    assert json.loads(found[0]["additional_fields"]) == {"first_name": "Пётр", "бюджет": 100}


def test_job_has_every_documented_field(partner: Partner) -> None:
    accepted = partner.post([{"phone": mobile(), "tags": [], "additionalFields": {}}, {"phone": "invalid"}]).json()

    job = partner.finished(accepted["job_id"])

    assert list(job) == [
        "job_id", "correlation_id", "status", "total_contacts", "valid_contacts", "invalid_contacts", "sent_contacts",
        "failed_contacts", "chunks_total", "chunks_completed", "chunks_failed", "chunks_pending", "chunks",
        "created_at", "updated_at", "completed_at", "error_message",
    ]  # fmt: skip
    assert list(job["chunks"][0]) == [
        "chunk_index", "status", "size", "attempt_count", "last_attempt_at", "sent_at", "response_status_code",
        "error_message",
    ]  # fmt: skip
    assert (job["total_contacts"], job["valid_contacts"], job["invalid_contacts"]) == (2, 1, 1)
    assert job["correlation_id"] == accepted["correlation_id"]
    assert RFC_3339.match(job["completed_at"])
    assert job["error_message"] is None


def test_same_request_again_gets_the_same_bytes(partner: Partner) -> None:
    key, phone = str(uuid.uuid4()), mobile()
    body = [{"phone": phone, "tags": []}]

    first, again = partner.post(body, key=key), partner.post(body, key=key)
    reordered = partner.post(b'[ {"tags":[],"phone":"%s"} ]' % phone.encode(), key=key)

    assert (again.status_code, again.content) == (202, first.content)
    assert (reordered.status_code, reordered.content) == (202, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers


def test_key_with_another_payload_is_a_conflict(partner: Partner) -> None:
    key = str(uuid.uuid4())
    first = partner.post([{"phone": mobile()}], key=key)

    conflict = partner.post([{"phone": mobile()}], key=key)

    assert conflict.status_code == 422
    told = conflict.json()
    # The key is taken a moment before the job is made.
    used, made = (datetime.fromisoformat(at) for at in (told.pop("existing_created_at"), first.json()["created_at"]))
    assert timedelta(0) <= made - used < timedelta(seconds=30)
    assert told == {
        "error": "idempotency_conflict",
        "message": "Idempotency key reused with different payload",
    }


def test_stored_key_can_be_read(partner: Partner) -> None:
    key = str(uuid.uuid4())
    accepted = partner.post([{"phone": mobile()}], key=key)
    partner.post([{"phone": "x"}], key=key)

    stored = partner.get(f"/v1/idempotency/{key}").json()

    assert list(stored) == [
        "key", "status", "payload_hash", "job_id", "created_at", "accessed_at", "access_count", "expires_at",
        "original_status_code", "original_response",
    ]  # fmt: skip
    assert (stored["key"], stored["status"], stored["original_status_code"]) == (key, "active", 202)
    assert stored["original_response"] == accepted.json()


def test_dry_run_stores_nothing(partner: Partner) -> None:
    key = str(uuid.uuid4())
    phone = mobile()

    dry = partner.post([{"phone": phone, "tags": ["лид"]}, {"phone": "invalid"}], key=key, X_Debug="TRUE")

    assert dry.status_code == 200
    assert list(dry.json()) == [
        "correlation_id", "total_contacts", "valid_contacts", "invalid_contacts", "chunks_count", "validation_results",
        "chunks", "message",
    ]  # fmt: skip
    assert dry.json()["validation_results"] == [
        {
            "original_phone": phone, "normalized_phone": phone, "is_valid": True, "error": None, "tags": ["лид"],
            "additional_fields": {},
        },
        {
            "original_phone": "invalid", "normalized_phone": None, "is_valid": False, "error": "Invalid phone number",
            "tags": [], "additional_fields": {},
        },
    ]  # fmt: skip
    assert dry.json()["message"] == "Dry-run mode: no data sent to AI"
    assert partner.get(f"/v1/idempotency/{key}").status_code == 404
    assert partner.post([{"phone": phone}], key=key).status_code == 202


def test_batch_without_a_valid_contact_is_refused_row_by_row(partner: Partner) -> None:
    refused = partner.post([{"phone": "invalid"}, {"phone": ""}])

    assert refused.status_code == 400
    body = refused.json()
    assert (body["error"], body["message"]) == ("validation_error", "Request validation failed")
    assert [detail["pointer"] for detail in body["details"]] == ["/0/phone", "/1/phone"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ([{"tags": []}], "/0/phone"),
        ([{"phone": "+79001234567"}, {"phone": "+79001234567", "tags": "лид"}], "/1/tags"),
        ({"phone": "+79001234567", "additionalFields": []}, "/additionalFields"),
        ([{"phone": 79001234567}], "/0/phone"),
        (["+79001234567"], "/0"),
    ],
)
def test_row_of_the_wrong_shape_refuses_the_request(partner: Partner, body: object, pointer: str) -> None:
    refused = partner.post(body)

    assert refused.status_code == 400
    assert refused.json()["error"] == "validation_error"
    assert pointer in [detail["pointer"] for detail in refused.json()["details"]]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"nul", b"[1,]", b'[{"phone": NaN}]', b'[{"phone":"1","phone":"2"}]', b'[{"phone":"\\ud800"}]',
        b'[{"phone":"\\u0000"}]', b"\xef\xbb\xbf[]", b'[{"phone":"\xff"}]', b"[" * 100_000, b"[]", b'"x"', b"7",
        '[{"phone":"+79001234567"}]'.encode("utf-16"), b'[{"phone":"1","additionalFields":' + b"9" * 10**6 + b"}]",
    ],
    ids=lambda body: repr(body[:20]),
)  # fmt: skip
def test_body_that_is_no_import_is_refused(partner: Partner, body: bytes) -> None:
    refused = partner.post(body)

    assert refused.status_code == 400, refused.text
    assert refused.json()["error"] == "validation_error"


@pytest.mark.parametrize("rows", [20_000, 100_000])
def test_too_many_rows_are_refused_at_once(partner: Partner, rows: int) -> None:
    refused = partner.post([{"phone": "+79001234567", "tags": [], "additionalFields": {"n": "x" * 50}}] * rows)

    assert refused.status_code == 413
    assert refused.json()["error"] == "payload_too_large"


def test_missing_idempotency_key_is_named(partner: Partner) -> None:
    response = partner.http.post(
        "/v1/contacts/import", json={"phone": mobile()}, headers={"Authorization": f"Bearer {partner.api_key}"}
    )

    assert response.status_code == 400
    assert response.json() == {"error": "validation_error", "message": "Idempotency-Key header is required"}


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer nonsense", "Basic dXNlcjpwYXNz"])
def test_caller_without_a_key_is_refused(partner: Partner, authorization: str) -> None:
    headers = {"Authorization": authorization} if authorization else {}

    refused = partner.http.post(
        "/v1/contacts/import", json={"phone": mobile()}, headers=headers | {"Idempotency-Key": "k"}
    )

    assert refused.status_code == 401
    assert refused.json()["error"] == "unauthorized"


def test_admin_routes_are_closed_to_partners(partner: Partner) -> None:
    assert partner.get("/admin/v1/clients").status_code == 403
    assert partner.get("/admin/v1/contacts").status_code == 403


def test_another_clients_job_looks_like_an_unknown_one(hub: Hub, admin: httpx.Client, partner: Partner) -> None:
    job_id = partner.post({"phone": mobile()}).json()["job_id"]

    with create_client(hub, admin) as other:
        theirs, unknown = other.get(f"/v1/contacts/import/{job_id}"), other.get(f"/v1/contacts/import/{uuid.uuid4()}")

    assert (theirs.status_code, theirs.content) == (unknown.status_code, unknown.content)
    assert theirs.status_code == 404
    assert theirs.json()["error"] == "not_found"


@pytest.mark.parametrize(
    ("verb", "path", "status", "word"),
    [
        ("GET", "/v1/nowhere", 404, "not_found"),
        ("PUT", "/v1/contacts/import", 405, "method_not_allowed"),
        ("DELETE", "/healthz", 405, "method_not_allowed"),
        ("POST", "/contactsync.ingestion.v1.IngestionService/ImportContacts", 404, "not_found"),
    ],
)
def test_gateway_answers_in_the_same_envelope(partner: Partner, verb: str, path: str, status: int, word: str) -> None:
    response = partner.http.request(verb, path)

    assert response.status_code == status
    assert response.json()["error"] == word


def test_correlation_id_is_kept_or_made(partner: Partner) -> None:
    given = partner.post({"phone": mobile()}, X_Correlation_ID="order-17:a.b_c")
    made = partner.post({"phone": mobile()})

    assert given.headers["x-correlation-id"] == given.json()["correlation_id"] == "order-17:a.b_c"
    assert UUID.match(made.json()["correlation_id"])
    assert made.headers["x-correlation-id"] == made.json()["correlation_id"]


def test_unsafe_correlation_id_is_refused(partner: Partner) -> None:
    assert partner.post({"phone": mobile()}, X_Correlation_ID="a b<script>").status_code == 400
    assert partner.post({"phone": mobile()}, X_Correlation_ID="x" * 129).status_code == 400


def test_health_and_readiness(partner: Partner) -> None:
    health, ready = partner.http.get("/healthz"), partner.http.get("/readyz")

    assert (health.status_code, ready.status_code) == (200, 200)
    assert list(health.json()) == ["status", "version", "timestamp", "checks"]
    assert health.json()["checks"] == {}
    assert ready.json()["checks"]["database"]["status"] == "healthy"
