"""What every refusal has, whoever made it."""

import json
import uuid
from typing import Any

import httpx

from tests.contract.raw_http import RawAnswer
from tests.fixtures.partner import Partner

ENVELOPE = {"error", "message", "details", "total_errors"}


def assert_refused(answer: httpx.Response | RawAnswer, status: int, word: str) -> dict[str, Any]:
    """Status, envelope and the header that finds the request in the logs."""
    assert answer.status_code == status, answer.content[:500]
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["x-correlation-id"]
    body: dict[str, Any] = json.loads(answer.content)
    assert body["error"] == word
    assert set(body) <= ENVELOPE
    assert isinstance(body["message"], str)
    assert body["message"]
    assert "Traceback" not in body["message"]
    return body


def headers(partner: Partner, **changes: str | None) -> dict[str, str]:
    """The documented headers, changed; None takes one away."""
    given: dict[str, str | None] = {
        "Authorization": f"Bearer {partner.api_key}",
        "Content-Type": "application/json",
        "Idempotency-Key": str(uuid.uuid4()),
    }
    given |= {name.replace("_", "-"): value for name, value in changes.items()}
    return {name: value for name, value in given.items() if value is not None}
