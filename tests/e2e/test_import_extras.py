"""What the import API gives beyond the document: rows, the rejected ones, retry, and events."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from libs.cli.stack.hub import Hub
from tests.e2e.test_import_path import mobile
from tests.fakes.webhook import Slow, Status, WebhookFake
from tests.fixtures.partner import Partner, create_client
from tests.fixtures.waiting import PATIENCE_SECONDS


@pytest.fixture
async def webhook() -> AsyncIterator[WebhookFake]:
    async with WebhookFake() as fake:
        yield fake


@contextmanager
def sending_to(hub: Hub, admin: httpx.Client, webhook: WebhookFake) -> Iterator[Partner]:
    """A partner whose contacts go to the webhook, which is tried once a round."""
    retry = {"max_attempts": 1, "timeout": "120s"}
    destination = {"name": "fake", "kind": "DESTINATION_KIND_WEBHOOK", "url": webhook.url, "retry": retry}
    made = admin.post("/admin/v1/destinations", json=destination).json()["destination"]
    with create_client(hub, admin, rate=1000, destination_ids=[made["id"]]) as partner:
        yield partner


def bearer(partner: Partner) -> dict[str, str]:
    return {"Authorization": f"Bearer {partner.api_key}"}


def rows(partner: Partner, job_id: str, **query: Any) -> Any:
    path = f"/v1/contacts/import/{job_id}/rows"
    return partner.http.get(path, params=query, headers=bearer(partner)).json()


async def finished(http: httpx.AsyncClient, job_id: str) -> Any:
    """The job's last event; the stream ends behind it."""
    return [event async for event in events(http, job_id)][-1]


async def events(http: httpx.AsyncClient, job_id: str) -> AsyncIterator[Any]:
    async with http.stream("GET", f"/v1/contacts/import/{job_id}/events") as stream:
        assert stream.status_code == 200
        assert stream.headers["content-type"] == "text/event-stream"
        async for line in stream.aiter_lines():
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))


async def imported(http: httpx.AsyncClient, contacts: Any) -> str:
    answer = await http.post("/v1/contacts/import", json=contacts, headers={"Idempotency-Key": str(uuid.uuid4())})
    assert answer.status_code == 202
    job_id: str = answer.json()["job_id"]
    return job_id


def client(partner: Partner) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=str(partner.http.base_url), headers=bearer(partner), timeout=httpx.Timeout(90), trust_env=False
    )


def test_rows_show_every_row_page_by_page(partner: Partner) -> None:
    phone = mobile()
    body = [{"phone": f"8{phone[2:]}", "note": 1}, {"phone": "12"}, {"phone": phone}]
    job_id = partner.post(body).json()["job_id"]
    partner.finished(job_id)

    first = rows(partner, job_id, limit=2)
    second = rows(partner, job_id, limit=2, cursor=first["next_cursor"])

    assert [row["row_index"] for row in first["rows"] + second["rows"]] == [0, 1, 2]
    assert [row["state"] for row in first["rows"] + second["rows"]] == ["created", "rejected", "unchanged"]
    assert second["next_cursor"] is None
    assert first["states"] == second["states"] == {"directory": {"created": 1, "unchanged": 1, "rejected": 1}}
    assert sum(first["states"]["directory"].values()) == first["total_contacts"] == 3
    assert first["rows"][0] == {
        "row_index": 0, "state": "created", "reason": None, "code": None, "pointer": None,
        "original_phone": f"8{phone[2:]}", "normalized_phone": phone, "region": "RU", "decided_by": "default_region",
        "metadata_version": first["rows"][0]["metadata_version"], "duplicate_of": None, "unknown_keys": ["note"],
        "remarks": [], "submitted": None,
        "destinations": [{"destination_id": "directory", "state": "created", "reason": None}],
    }  # fmt: skip
    assert first["rows"][1]["reason"] == "Invalid phone number: too short"
    assert (first["rows"][1]["code"], first["rows"][1]["pointer"]) == ("too_short", "/1/phone")
    assert second["rows"][0]["duplicate_of"] == 0


def test_rows_can_be_asked_for_by_state(partner: Partner) -> None:
    job_id = partner.post([{"phone": mobile()}, {"phone": "12"}]).json()["job_id"]
    partner.finished(job_id)

    assert [row["row_index"] for row in rows(partner, job_id, state="rejected")["rows"]] == [1]
    assert [row["row_index"] for row in rows(partner, job_id, state="created")["rows"]] == [0]
    assert rows(partner, job_id, state="failed")["rows"] == []


@pytest.mark.parametrize(
    ("query", "pointer"),
    [("state=lost", "/state"), ("cursor=nonsense", "/cursor"), ("limit=0", "/limit"), ("limit=1001", "/limit")],
)
def test_odd_question_about_rows_is_named(partner: Partner, query: str, pointer: str) -> None:
    job_id = partner.post({"phone": mobile()}).json()["job_id"]

    refused = partner.get(f"/v1/contacts/import/{job_id}/rows?{query}")

    assert (refused.status_code, refused.json()["error"]) == (400, "validation_error")
    assert refused.json()["details"][0]["pointer"] == pointer


def test_rejected_rows_can_be_mended_and_posted_again(partner: Partner) -> None:
    rejected = {"phone": "12", "tags": ["лид"], "additionalFields": {"n": 1.50}, "note": "ю"}
    job_id = partner.post([{"phone": mobile()}, rejected]).json()["job_id"]

    download = partner.get(f"/v1/contacts/import/{job_id}/rejected")
    again = partner.post([row | {"phone": mobile()} for row in download.json()])

    assert download.json() == [rejected]
    assert download.headers["content-disposition"] == f'attachment; filename="rejected-{job_id}.json"'
    assert (again.status_code, again.json()["valid_contacts"]) == (202, 1)


@pytest.mark.parametrize(
    ("verb", "path"), [("GET", "/rows"), ("GET", "/rejected"), ("GET", "/events"), ("POST", "/retry")]
)
def test_job_of_another_looks_like_none(hub: Hub, admin: httpx.Client, partner: Partner, verb: str, path: str) -> None:
    job_id = partner.post({"phone": mobile()}).json()["job_id"]

    with create_client(hub, admin) as other:
        answers = [
            other.http.request(verb, f"/v1/contacts/import/{each}{path}", headers=bearer(other))
            for each in (job_id, uuid.uuid4())
        ]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content
    assert partner.http.request(verb, f"/v1/contacts/import/{job_id}{path}").status_code == 401


async def test_failed_rows_are_delivered_again_and_no_others(
    hub: Hub, admin: httpx.Client, webhook: WebhookFake
) -> None:
    webhook.next.append(Status(400))
    with sending_to(hub, admin, webhook) as partner:
        async with client(partner) as http:
            job_id = await imported(http, [{"phone": mobile()}, {"phone": "12"}])
            failed = await finished(http, job_id)
            webhook.next.append(Slow())
            retries = [await http.post(f"/v1/contacts/import/{job_id}/retry") for _ in range(2)]
            webhook.go_on.set()
            done = await finished(http, job_id)
            idle = await http.post(f"/v1/contacts/import/{job_id}/retry", json={})

    assert (failed["status"], failed["failed_contacts"]) == ("failed", 1)
    assert [answer.status_code for answer in retries] == [202, 202]
    assert [answer.json()["retried_rows"] for answer in retries] == [1, 1]
    assert retries[0].json()["job"]["status"] == "processing"
    assert (done["status"], done["sent_contacts"]) == ("completed", 1)
    assert (idle.status_code, idle.json()["retried_rows"]) == (202, 0)
    assert len(webhook.arrivals) == 2


async def test_events_follow_a_job_to_its_end(hub: Hub, admin: httpx.Client, webhook: WebhookFake) -> None:
    webhook.next.append(Slow())
    seen: list[Any] = []
    with sending_to(hub, admin, webhook) as partner:
        async with client(partner) as http:
            job_id = await imported(http, {"phone": mobile()})
            async for job in events(http, job_id):
                seen.append(job)
                webhook.go_on.set()
            shown = await http.get(f"/v1/contacts/import/{job_id}")

    assert [job["status"] for job in seen] == ["pending", "completed"]
    assert seen[-1] == shown.json()


@pytest.mark.long
async def test_events_of_an_idle_job_go_on_behind_every_time_out(
    hub: Hub, admin: httpx.Client, webhook: WebhookFake
) -> None:
    webhook.next.append(Slow())
    with sending_to(hub, admin, webhook) as partner:
        async with client(partner) as http:
            job_id = await imported(http, {"phone": mobile()})
            async with http.stream("GET", f"/v1/contacts/import/{job_id}/events") as stream:
                began, lines = time.monotonic(), stream.aiter_lines()
                quiet = [await anext(lines)]
                while time.monotonic() < began + 65:
                    quiet.append(await anext(lines))
                webhook.go_on.set()
                rest = [line async for line in lines]

    assert quiet.count(": nothing changed") >= 10
    assert rest[-2].startswith("data: ")


async def test_events_end_when_the_key_does(hub: Hub, admin: httpx.Client, webhook: WebhookFake) -> None:
    webhook.next.append(Slow())
    with sending_to(hub, admin, webhook) as partner:
        async with client(partner) as http:
            job_id = await imported(http, {"phone": mobile()})
            async with http.stream("GET", f"/v1/contacts/import/{job_id}/events") as stream:
                lines = stream.aiter_lines()
                assert await anext(lines) == "event: job"
                revoked = admin.post(f"/admin/v1/clients/{partner.client_id}/revoke", json={})  # noqa: ASYNC212 - once
                async with asyncio.timeout(PATIENCE_SECONDS):
                    rest = [line async for line in lines]

    assert revoked.status_code == 200
    assert not [line for line in rest if line.startswith("event")]
