"""Refusals as bytes."""

import json
from datetime import timedelta

from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from hypothesis import given
from hypothesis import strategies as st

from libs.rpc import Violation
from libs.rpc.envelope import ascii_envelope, envelope, status_details, status_message
from libs.rpc.reason import REASONS
from libs.rpc.told import Told

INVALID = REASONS["VALIDATION_ERROR"]


def test_envelope_of_the_contract() -> None:
    told = Told(
        REASONS["IDEMPOTENCY_CONFLICT"],
        "Idempotency key reused with different payload",
        fields={"existing_created_at": "2024-01-15T12:00:00Z"},
    )

    assert json.loads(envelope(told)) == {
        "error": "idempotency_conflict",
        "message": "Idempotency key reused with different payload",
        "existing_created_at": "2024-01-15T12:00:00Z",
    }


def test_details_are_capped_and_counted() -> None:
    told = Told(INVALID, "no", [Violation(f"/{row}", "too_short", "is short", "12") for row in range(250)])

    content = json.loads(envelope(told))

    assert content["total_errors"] == 250
    assert len(content["details"]) == 100
    assert content["details"][7] == {"pointer": "/7", "code": "too_short", "message": "is short", "value": "12"}


def test_fields_do_not_replace_the_contracts_own() -> None:
    told = Told(INVALID, "no", fields={"error": "x", "message": "y", "more": "z"})

    assert json.loads(envelope(told)) == {"error": "validation_error", "message": "no", "more": "z"}


def test_status_has_reason_violations_and_retry() -> None:
    told = Told(
        INVALID, "нет", [Violation("/a", "c", "m")], {"resource": "job"}, retry_after=timedelta(milliseconds=1200)
    )

    status = Status.FromString(status_details(told, 8192))

    info, retry, bad = ErrorInfo(), RetryInfo(), BadRequest()
    assert [detail.Unpack(into) for detail, into in zip(status.details, (info, retry, bad), strict=True)] == [True] * 3
    assert (status.code, status.message) == (3, "нет")
    assert (info.reason, info.domain) == ("VALIDATION_ERROR", "contactsync")
    assert dict(info.metadata) == {"resource": "job", "retry_after_s": "2"}
    assert retry.retry_delay.ToTimedelta() == timedelta(milliseconds=1200)
    assert [(v.field, v.reason, v.description) for v in bad.field_violations] == [("/a", "c", "m")]


VIOLATIONS = st.builds(
    Violation, st.text(max_size=80), st.text(max_size=20), st.text(max_size=200), st.text(max_size=64)
)


@given(message=st.text(max_size=600), violations=st.lists(VIOLATIONS, max_size=120), limit=st.integers(2048, 8192))
def test_headers_fit_their_limits(message: str, violations: list[Violation], limit: int) -> None:
    told = Told(INVALID, message, violations)

    body, details = ascii_envelope(told, limit), status_details(told, limit)

    assert len(body) <= limit
    assert len(details) <= limit
    assert all(" " <= letter <= "~" for letter in body)
    content = json.loads(body)
    assert content["error"] == "validation_error"
    assert content.get("total_errors", 0) == len(violations)
    assert Status.FromString(details).details[0].type_url.endswith("ErrorInfo")
    assert len(status_message(told)) <= 256


def test_retry_is_at_least_a_second() -> None:
    assert Told(INVALID, "", retry_after=timedelta(0)).retry_after_seconds == "1"
