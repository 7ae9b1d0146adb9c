"""A client of the telecrm APIs, who holds nothing but their document and a token."""

import itertools
import json
import random
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.fixtures.partner import from_address, loopback_address
from tests.fixtures.spaces import Space

SPEC: dict[str, Any] = {
    "country": "IN",
    "fields": [
        {"apiName": "note", "type": "text"},
        {"apiName": "mobile", "type": "phone"},
        {"apiName": "deal_size", "type": "number"},
        {"apiName": "visit", "type": "date"},
        {"apiName": "contact_source", "type": "dropdown", "options": ["Website", "Referral"]},
        {"apiName": "interests", "type": "tags"},
        {"apiName": "budget", "type": "money"},
        {"apiName": "site", "type": "website"},
        {"apiName": "brochure", "type": "medialink"},
        {"apiName": "owner", "type": "activeUsers"},
        {"apiName": "rating", "type": "rating"},
        {"apiName": "why_lost", "type": "lostReason"},
    ],
    "actions": [
        {
            "code": "ACTION_1001",
            "displayName": "Site Visit",
            "score": 10,
            "fields": [
                {"apiName": "note", "type": "text"},
                {"apiName": "email", "type": "email"},
                {"apiName": "outcome", "type": "dropdown", "options": ["Interested", "Not Interested"]},
            ],
        },
        {"code": "ACTION_1002", "displayName": "Demo Booked", "fields": [{"apiName": "note", "type": "text"}]},
    ],
    "stages": {"OPEN": ["Fresh", "Contacted", "Qualified"], "WON": ["Won"], "LOST": ["Lost"]},
    "archived_statuses": ["Old Status"],
    "seats": 3,
}
NOT_AUTHORIZED = (
    "Enterprise with ID {} not found or invalid access token. "
    "Please generate a new one from the Website/API integrations section of the telecrm app."
)
_PHONES = itertools.count(random.SystemRandom().randrange(7_000_000_000, 9_900_000_000))


def phone() -> str:
    """An Indian mobile number that no lead of the run has."""
    return f"91{next(_PHONES)}"


def unique() -> str:
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class Telecrm:
    """A caller with a token; paths are those behind /enterprise/{enterpriseId}/."""

    http: httpx.Client
    enterprise_id: str
    base: str

    @classmethod
    @contextmanager
    def of(cls, space: Space, *, token: str | None = None, kind: str = "sync") -> Iterator["Telecrm"]:
        """With a token of that kind, made anew unless one is given."""
        known = token or space.token(kind)
        prefix = "/autoupdate/v2" if kind == "sync" else ""
        with from_address(space.hub, loopback_address()) as http:
            http.headers["Authorization"] = f"Bearer {known}"
            yield cls(http, space.enterprise_id, f"{prefix}/enterprise/{space.enterprise_id}/")

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.http.get(self.base + path, params=params)

    def post(self, path: str, body: Any = None, **params: Any) -> httpx.Response:
        """Bytes go as they are, anything else as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        return self.http.post(self.base + path, content=content, headers=headers, params=params)

    def create(self, *actions: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """What became of a lead; with a phone of its own unless one is given."""
        made = self.post("lead", {"fields": {"phone": phone()} | fields, "actions": list(actions)})
        assert made.status_code == 201, made.text
        told: dict[str, Any] = made.json()
        return told

    def fields(self, lead_id: str) -> dict[str, Any]:
        got = self.get(f"lead/{lead_id}")
        assert got.status_code == 200, got.text
        told: dict[str, Any] = got.json()["fields"]
        return told

    def update(self, lead_id: str, **fields: Any) -> httpx.Response:
        return self.post(f"lead/{lead_id}", {"fields": fields})

    def search(self, body: Any, **params: Any) -> dict[str, Any]:
        found = self.post("lead/search", body, **params)
        assert found.status_code == 200, found.text
        told: dict[str, Any] = found.json()
        return told

    def phones(self, **body: Any) -> list[str]:
        """Of the leads that were found, in the order given."""
        return [row["fields"]["phone"] for row in self.search(body, limit=100)["data"]]


def refused(answer: httpx.Response, status: int, code: str, message: str | None = None) -> dict[str, Any]:
    """The error, in the document's envelope and nothing else."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert list(body) == ["error"]
    error: dict[str, Any] = body["error"]
    assert {"code", "message"} <= error.keys() <= {"code", "message", "details"}
    assert error["code"] == code
    assert error["message"]
    assert message in {None, error["message"]}
    return error
