"""Imports delivered to workspaces over the published APIs of telecrm and connect, as any client of these has them."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.cli.stack.hub import Hub
from tests.e2e.test_cli import run
from tests.e2e.test_import_path import mobile
from tests.fixtures.partner import Partner, create_client

SPEC = {
    "fields": [
        {"apiName": "phone", "type": "phone"},
        {"apiName": "name", "type": "text"},
        {"apiName": "email", "type": "email"},
        {"apiName": "rating", "type": "rating"},
    ],
    "identifier": "phone",
    "country": "RU",
    "lead_statuses": [{"type": "lead", "label": "Fresh", "color": "#3B82F6"}],
}


@pytest.fixture
def workspace(data: Path, tmp_path: Path) -> str:
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps(SPEC))
    made: dict[str, str] = run("workspaces", "create", "--name", "Acme", "--spec", str(spec), data=data)
    return made["enterprise_id"]


def create_telecrm(data: Path, hub: Hub, workspace: str) -> tuple[str, str]:
    token = run("workspaces", "create-token", workspace, "--type", "sync", data=data)["token"]
    config = json.dumps({"token": token, "enterprise_id": workspace})
    url = f"{hub.url}/autoupdate/v2"
    made = run("destinations", "create", "--kind", "telecrm", "--url", url, "--config", config, data=data)
    return made["id"], token


def create_connect(data: Path, hub: Hub, workspace: str) -> tuple[str, str]:
    key = run("workspaces", "create-connect-key", workspace, data=data)["api_key"]
    config = json.dumps({"api_key": key, "lead_status": "Fresh"})
    made = run("destinations", "create", "--kind", "connect", "--url", hub.url, "--config", config, data=data)
    return made["id"], key


def rows_of(sender: Partner, contacts: list[dict[str, Any]], data: Path) -> list[dict[str, Any]]:
    """Import, and give each row as the operator sees it."""
    job = sender.finished(sender.post(contacts).json()["job_id"])
    shown: list[dict[str, Any]] = run("jobs", "rows", job["job_id"], data=data)["rows"]
    return shown


def states(rows: list[dict[str, Any]]) -> Counter[str]:
    return Counter(row["state"].lower().removeprefix("row_state_") for row in rows)


def person(phone: str, **additional: Any) -> dict[str, Any]:
    return {"phone": phone, "tags": ["hot"], "additionalFields": additional}


def test_contacts_become_leads_once_and_are_changed_only_where_they_differ(
    data: Path, hub: Hub, admin: httpx.Client, workspace: str
) -> None:
    destination, token = create_telecrm(data, hub, workspace)
    phones = [mobile() for _ in range(60)]
    first = [person(phone, first_name="Анна", last_name="Иванова", rating="4") for phone in phones]
    second = [*first[1:], person(phones[0], first_name="Мария", last_name="Иванова", rating="4")]

    with create_client(hub, admin, rate=1000, destination_ids=[destination]) as sender:
        created, changed = rows_of(sender, first, data), rows_of(sender, second, data)

    assert states(created) == {"created": 60}
    assert states(changed) == {"unchanged": 59, "updated": 1}
    leads = search(hub, workspace, token, {"phone": phones[0]})
    assert leads["total_count"] == 1
    fields = leads["data"][0]["fields"]
    assert (fields["name"], fields["rating"], fields["tags"]) == ("Мария Иванова", 4, ["hot"])
    assert search(hub, workspace, token, {"name": "Анна Иванова"})["total_count"] == 59


def test_what_a_lead_was_created_without_is_named(data: Path, hub: Hub, admin: httpx.Client, workspace: str) -> None:
    destination, token = create_telecrm(data, hub, workspace)
    phone = mobile()

    with create_client(hub, admin, rate=1000, destination_ids=[destination]) as sender:
        [row] = rows_of(sender, [person(phone, name="Анна", rating="9", city="Москва")], data)

    assert states([row]) == {"created": 1}
    assert "rating" in json.dumps(row)
    assert "city" in json.dumps(row)
    assert search(hub, workspace, token, {"phone": phone})["total_count"] == 1


def test_contacts_come_to_connect_once_with_their_lead_status(
    data: Path, hub: Hub, admin: httpx.Client, workspace: str
) -> None:
    destination, key = create_connect(data, hub, workspace)
    people = [person(mobile(), name=f"Анна {number}", email=f"anna{number}@example.org") for number in range(30)]
    differing = person(mobile(), name="Другая", email="ANNA0@example.org")

    with create_client(hub, admin, rate=1000, destination_ids=[destination]) as sender:
        created, again = (
            rows_of(sender, people, data),
            rows_of(sender, [*people[1:], differing, person(mobile())], data),
        )

    assert states(created) == {"created": 30}
    assert states(again) == {"unchanged": 29, "unsupported": 1, "failed": 1}
    answer = httpx.get(
        f"{hub.url}/api/connect/contacts", headers={"X-Api-Key": key}, timeout=30, trust_env=False
    ).json()
    assert Counter(each["email"] for each in answer) == {f"anna{number}@example.org": 1 for number in range(30)}
    assert {each["leadStatus"]["label"] for each in answer} == {"Fresh"}


def sync(source: str, data: Path) -> dict[str, Any]:
    done: dict[str, Any] = run("sources", "sync", source, "--wait", data=data)
    return done


@pytest.mark.parametrize("kind", ["telecrm", "connect"])
def test_what_was_delivered_to_a_system_is_not_news_when_it_is_read_back(
    data: Path, hub: Hub, admin: httpx.Client, workspace: str, kind: str
) -> None:
    telecrm, token = create_telecrm(data, hub, workspace)
    connect, key = create_connect(data, hub, workspace)
    where = {"telecrm": f"{hub.url}/autoupdate/v2", "connect": hub.url}[kind]
    config = json.dumps({"telecrm": {"token": token, "enterprise_id": workspace}, "connect": {"api_key": key}}[kind])
    source = run("sources", "create", "--kind", kind, "--url", where, "--config", config, data=data)["id"]
    people = [person(mobile(), name=f"Анна {n}", email=f"a{n}@example.org", company="Acme") for n in range(10)]

    with create_client(
        hub, admin, rate=1000, destination_ids=[{"telecrm": telecrm, "connect": connect}[kind]]
    ) as sender:
        rows_of(sender, people, data)
    echoed = sync(source, data)
    run("sources", "delete", source, data=data)

    assert (echoed["status"], echoed["seen"], echoed["changed"]) == ("completed", 10, 0)


def search(hub: Hub, workspace: str, token: str, fields: dict[str, Any]) -> dict[str, Any]:
    answer = httpx.post(
        f"{hub.url}/autoupdate/v2/enterprise/{workspace}/lead/search",
        json={"fields": fields},
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
        trust_env=False,
    )
    found: dict[str, Any] = answer.json()
    return found
