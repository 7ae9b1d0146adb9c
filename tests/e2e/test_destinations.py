"""Destinations as an operator keeps them, through the gateway and the command."""

import base64
import hashlib
import hmac
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.cli.stack.hub import Hub
from tests.e2e.test_cli import COMMAND, run
from tests.e2e.test_import_path import mobile
from tests.fakes.picky import PickyReceiver, picky_receiver
from tests.fixtures.partner import create_client
from tests.fixtures.waiting import look

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()


@pytest.fixture
def receiver() -> Iterator[PickyReceiver]:
    with picky_receiver() as running:
        yield running


def create(data: Path, url: str, kind: str = "webhook", **config: Any) -> str:
    arguments = ("--kind", kind, "--url", url, "--config", json.dumps(config))
    made: dict[str, Any] = run("destinations", "create", *arguments, data=data)
    return str(made["id"])


def refusal(*arguments: str, data: Path) -> str:
    """What the command says when it is refused."""
    finished = subprocess.run(
        [COMMAND, *arguments, "--data", str(data), "--json"], capture_output=True, text=True, check=False, timeout=120
    )
    assert finished.returncode != 0, finished.stdout
    return " ".join(finished.stderr.split())


def signature(secret: str, headers: dict[str, str], body: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def test_every_setting_is_kept_and_no_secret_is_shown(data: Path, receiver: PickyReceiver) -> None:
    config: dict[str, Any] = {
        "retry": {"first_delay_s": 1.5, "max_delay_s": 60, "max_attempts": 3, "timeout_s": 4},
        "chunk_size": 200,
        "concurrency": 2,
        "rate": 7.5,
        "headers": {"X-Tenant": "a-secret-tenant"},
        "tags": {"any_of": ["vip"], "none_of": ["test"]},
        "success": {"statuses": [200], "body_field": "ok", "body_equals": "true"},
        "idempotent": False,
        "secret": SECRET,
    }

    shown = run("destinations", "show", create(data, receiver.url, **config), data=data)

    assert shown["kind"] == "webhook"
    assert shown["retry"] == {"first_delay": "1.500s", "max_delay": "60s", "max_attempts": 3, "timeout": "4s"}
    assert (shown["chunk_size"], shown["concurrency"], shown["rate"], shown["idempotent"]) == (200, 2, 7.5, False)
    assert shown["header_names"] == ["X-Tenant"]
    assert shown["tags"] == config["tags"]
    assert shown["success"] == config["success"]
    assert shown["credentials"] == ["secret"]
    assert "a-secret-tenant" not in json.dumps(shown)
    assert SECRET not in json.dumps(shown)


def test_crm_destinations_have_their_own_credentials(data: Path, receiver: PickyReceiver) -> None:
    telecrm = create(data, receiver.url, "telecrm", token="t-1", enterprise_id="acme", fields={"email": "mail"})
    connect = create(data, receiver.url, "connect", api_key="k-1", lead_status="New")

    one, other = (run("destinations", "show", each, data=data) for each in (telecrm, connect))

    assert (one["enterprise_id"], one["credentials"], one["chunk_size"]) == ("acme", ["token"], 50)
    assert one["fields"] == {"email": "mail"}
    assert (other["lead_status"], other["credentials"], other["chunk_size"]) == ("New", ["api_key"], 50)


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"kind": "DESTINATION_KIND_WEBHOOK"}, {"/url"}),
        ({"kind": "DESTINATION_KIND_TELECRM"}, {"/url", "/token", "/enterprise_id"}),
        ({"kind": "DESTINATION_KIND_CONNECT", "url": "https://8.8.8.8"}, {"/api_key"}),
        ({"kind": "DESTINATION_KIND_WEBHOOK", "url": "https://8.8.8.8", "token": "t", "lead_status": "x"},
         {"/token", "/lead_status"}),
        ({"kind": "DESTINATION_KIND_WEBHOOK", "url": "https://8.8.8.8", "headers": {"webhook-id": "1", "Host": "x"}},
         {"/headers/webhook-id", "/headers/Host"}),
        ({"kind": "DESTINATION_KIND_WEBHOOK", "url": "https://8.8.8.8", "secret": "whsec_?"}, {"/secret"}),
        ({"kind": "DESTINATION_KIND_WEBHOOK", "url": "https://10.0.0.1"}, {"/url"}),
        ({"kind": "DESTINATION_KIND_WEBHOOK", "url": "https://8.8.8.8", "chunk_size": 1001}, {"/chunk_size"}),
        ({"kind": "DESTINATION_KIND_WEBHOOK", "url": "https://8.8.8.8",
          "retry": {"first_delay": "50s", "max_delay": "5s"}}, {"/retry/first_delay"}),
    ],
)  # fmt: skip
def test_a_bad_setting_is_named_by_its_pointer(admin: httpx.Client, body: dict[str, Any], pointers: set[str]) -> None:
    answer = admin.post("/admin/v1/destinations", json=body)

    assert answer.status_code == 400
    assert answer.json()["error"] == "validation_error"
    assert {each["pointer"] for each in answer.json()["details"]} == pointers


def test_unknown_keys_and_wrong_types_of_a_config_are_named(data: Path) -> None:
    config = '{"retry": {"tries": 3, "timeout_s": "5"}, "tokn": "x", "chunk_size": "10", "tags": []}'

    said = refusal(
        "destinations", "create", "--kind", "webhook", "--url", "https://8.8.8.8", "--config", config, data=data
    )

    for pointer in ("/retry/tries", "/retry/timeout_s", "/tokn", "/chunk_size", "/tags"):
        assert pointer in said


def test_a_change_changes_what_is_given_and_nothing_else(data: Path, receiver: PickyReceiver) -> None:
    made = create(data, receiver.url, headers={"X-A": "1"}, tags={"any_of": ["a"]}, retry={"max_attempts": 5})

    run(
        "destinations",
        "update",
        made,
        "--name",
        "crm",
        "--config",
        '{"retry": {"timeout_s": 9}, "tags": {}}',
        data=data,
    )

    shown = run("destinations", "show", made, data=data)
    assert (shown["name"], shown["url"]) == ("crm", receiver.url)
    assert (shown["retry"]["max_attempts"], shown["retry"]["timeout"]) == (5, "9s")
    assert (shown["header_names"], shown["tags"]) == (["X-A"], {"any_of": [], "none_of": []})


def test_a_change_cannot_lead_into_the_hubs_own_network(data: Path, receiver: PickyReceiver) -> None:
    made = create(data, receiver.url)

    said = refusal("destinations", "update", made, "--url", "http://169.254.169.254/", data=data)

    assert "/url: It leads to an address that the hub may not call" in said
    assert run("destinations", "show", made, data=data)["url"] == receiver.url


def test_both_secrets_sign_while_one_is_rotated(
    data: Path, hub: Hub, admin: httpx.Client, receiver: PickyReceiver
) -> None:
    made = create(data, receiver.url, secret=SECRET, headers={"X-Tenant": "t1"})
    rotated = run("destinations", "rotate-secret", made, data=data)
    with create_client(hub, admin, rate=1000, destination_ids=[made]) as sender:
        sender.finished(sender.post([{"phone": mobile()}]).json()["job_id"])

    [(headers, body)] = receiver.requests
    raw = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    assert headers["webhook-signature"].split() == [
        signature(rotated["secret"], headers, raw),
        signature(SECRET, headers, raw),
    ]
    assert headers["x-tenant"] == "t1"
    assert rotated["destination"]["old_secrets_until"]


def test_a_test_call_is_marked_and_leaves_no_trace(data: Path, receiver: PickyReceiver) -> None:
    made = create(data, receiver.url)

    found = run("destinations", "test", made, data=data)

    assert (found["ok"], found["response_status_code"], found["answer_body"]) == (True, 200, '{"ok": true}')
    [(_, body)] = receiver.requests
    assert body["type"] == "contacts.test"
    shown = run("destinations", "show", made, data=data)
    assert (shown["waiting"], shown["dead_letters"], shown["last_errors"]) == (0, 0, [])


def test_a_failed_test_says_why(data: Path, receiver: PickyReceiver) -> None:
    receiver.poison, receiver.status = {"+12025550123"}, 500
    made = create(data, receiver.url)

    found = run("destinations", "test", made, data=data, code=1)
    gone = run("destinations", "test", create(data, "http://127.0.0.1:1/"), data=data, code=1)

    assert (found["ok"], found["response_status_code"]) == (False, 500)
    assert found["answer_body"] == '{"error": "bad contact"}'
    assert (gone["response_status_code"], bool(gone["error_message"])) == (0, True)
    assert run("destinations", "test", "directory", data=data)["ok"]


def test_a_preview_shows_the_request_and_masks_what_is_secret(
    data: Path, hub: Hub, admin: httpx.Client, receiver: PickyReceiver
) -> None:
    made = create(data, receiver.url, headers={"Authorization": "Bearer mine"}, tags={"none_of": ["x"]})
    phone = mobile()
    with create_client(hub, admin, rate=1000, destination_ids=[made]) as sender:
        job = sender.finished(sender.post([{"phone": phone}, {"phone": mobile(), "tags": ["x"]}]).json()["job_id"])
    receiver.requests.clear()

    found = run("destinations", "preview", made, "--chunk", f"{job['job_id']}.0", data=data)
    sample = run("destinations", "preview", made, data=data)

    [request] = found["requests"]
    assert (request["method"], request["url"]) == ("POST", receiver.url)
    assert [each["phone"] for each in json.loads(request["body"])["contacts"]] == [phone]
    assert (found["contacts"], found["filtered"]) == (1, 1)
    assert "Bearer mine" not in json.dumps(found)
    assert {name: value for name, value in request["headers"].items() if name == "Authorization"} == {
        "Authorization": "•••"
    }
    assert len(sample["requests"]) == 1
    assert receiver.requests == []


def test_a_destination_is_kept_while_a_source_leads_to_it(data: Path, receiver: PickyReceiver) -> None:
    made = create(data, receiver.url)
    where = ("--kind", "custom", "--url", receiver.url, "--client-id", "mine", "--client-secret", "secret")
    leading = json.dumps({"destinations": [made]})
    source = run("sources", "create", *where, "--name", "the exchange", "--config", leading, data=data)

    used = refusal("destinations", "delete", made, data=data)
    run("sources", "delete", source["id"], data=data)
    deleted = run("destinations", "delete", made, data=data)

    assert "Sources lead to it: the exchange." in used
    assert deleted == {"id": made, "deleted": True, "discarded": 0}


def test_a_destination_is_deleted_only_when_nobody_needs_it(
    data: Path, hub: Hub, admin: httpx.Client, receiver: PickyReceiver
) -> None:
    made = create(data, receiver.url)
    run("destinations", "pause", made, data=data)
    with create_client(hub, admin, rate=1000, destination_ids=[made]) as sender:
        job_id = sender.post([{"phone": mobile()}]).json()["job_id"]
        look(lambda: run("destinations", "show", made, data=data)["waiting"] or None, what="the backlog")
        used = refusal("destinations", "delete", made, data=data)
        run("clients", "update", sender.client_id, "--destination", "directory", data=data)
        waiting = refusal("destinations", "delete", made, data=data)
        deleted = run("destinations", "delete", made, "--discard-backlog", data=data)
        job = sender.finished(job_id)

    assert ("state_conflict" in used, "Clients send to it" in used) == (True, True)
    assert ("state_conflict" in waiting, "1 deliveries wait" in waiting) == (True, True)
    assert deleted == {"id": made, "deleted": True, "discarded": 1}
    assert (job["status"], job["failed_contacts"]) == ("failed", 1)
    assert made not in [each["id"] for each in run("destinations", "list", data=data)]
    assert "state_conflict" in refusal("destinations", "delete", "directory", data=data)
