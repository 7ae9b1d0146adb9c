"""A partner of the hub, who holds nothing but import-api.txt and a key."""

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from libs.cli.stack.hub import Hub

_POLL_SECONDS = 0.1
_PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Partner:
    """A client with its key."""

    client_id: str
    api_key: str
    http: httpx.Client

    def post(self, body: Any, *, key: str | None = None, **headers: str) -> httpx.Response:
        """POST /v1/contacts/import; bytes go as they are, anything else as JSON. Header names take _ for -."""
        content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        sent = {
            "Authorization": f"Bearer {self.api_key}",
            "Content-Type": "application/json",
            "Idempotency-Key": key or str(uuid.uuid4()),
        }
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.post("/v1/contacts/import", content=content, headers=sent)

    def get(self, path: str) -> httpx.Response:
        """A GET with the partner's key."""
        return self.http.get(path, headers={"Authorization": f"Bearer {self.api_key}"})

    def finished(self, job_id: str) -> dict[str, Any]:
        """The job once it is completed or failed."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            job: dict[str, Any] = self.get(f"/v1/contacts/import/{job_id}").json()
            if job["status"] in {"completed", "failed"}:
                return job
            assert time.monotonic() < deadline, job
            time.sleep(_POLL_SECONDS)


@contextmanager
def create_client(hub: Hub, admin: httpx.Client, **settings: Any) -> Iterator[Partner]:
    """A new client of the hub."""
    answer = admin.post("/admin/v1/clients", json={"name": "partner", "settings": settings})
    assert answer.status_code == httpx.codes.OK, answer.text
    made = answer.json()
    with httpx.Client(base_url=hub.url, timeout=30, trust_env=False) as http:
        yield Partner(made["client"]["id"], made["api_key"], http)
