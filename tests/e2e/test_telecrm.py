"""The telecrm APIs as an operator opens them, and the hub's own telecrm client against them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.cli.stack.hub import Hub
from tests.contract.telecrm.caller import SPEC, Telecrm, phone
from tests.e2e.test_cli import run
from tests.fixtures.spaces import Space
from tests.fixtures.waiting import wait_for


def workspace(hub: Hub, admin: httpx.Client, spec: Path) -> Space:
    """As an operator makes one."""
    spec.write_text(json.dumps(SPEC))
    made = run("workspaces", "create", "--name", "Acme", "--spec", str(spec), data=hub.plan.folder.root)
    return Space(made["enterprise_id"], hub, admin)


def token(space: Space, kind: str) -> dict[str, str]:
    """As an operator makes one."""
    data = space.hub.plan.folder.root
    made: dict[str, str] = run("workspaces", "create-token", space.enterprise_id, "--type", kind, data=data)
    return made


@pytest.fixture
def here(hub: Hub, admin: httpx.Client, tmp_path: Path) -> Space:
    return workspace(hub, admin, tmp_path / "here.json")


@pytest.fixture
def there(hub: Hub, admin: httpx.Client, tmp_path: Path) -> Space:
    return workspace(hub, admin, tmp_path / "there.json")


@pytest.fixture
def source(here: Space, there: Space, data: Path) -> Iterator[str]:
    """The leads of one workspace come into the other."""
    config = {"token": token(here, "sync")["token"], "enterprise_id": here.enterprise_id, "region": "IN"}
    url = f"{here.hub.url}/autoupdate/v2"
    made = run(
        "sources", "create", "--kind", "telecrm", "--url", url, "--workspace", there.enterprise_id,
        "--config", json.dumps(config), data=data,
    )  # fmt: skip
    yield made["id"]
    run("sources", "delete", made["id"], data=data)


def test_a_workspace_is_opened_by_its_tokens_until_they_are_deleted(here: Space, data: Path) -> None:
    sync, later = token(here, "sync"), token(here, "async")

    with Telecrm.of(here, token=sync["token"]) as caller, Telecrm.of(here, token=later["token"], kind="async") as queue:
        number = phone()
        assert queue.post("autoupdatelead", {"fields": {"phone": number}}).json() == {"status": "QUEUED"}
        wait_for(lambda: caller.phones(fields={"phone": number}) == [number])
        run("workspaces", "delete-token", here.enterprise_id, sync["id"], data=data)
        statuses = caller.get("metadata").status_code, queue.post("autoupdatelead", {"fields": {}}).status_code

    assert statuses == (401, 200)


def test_the_hubs_own_client_reads_every_lead_and_what_changed(
    here: Space, there: Space, source: str, data: Path
) -> None:
    with Telecrm.of(here) as caller, Telecrm.of(there) as reader:
        given = {phone(): {"name": f"Jane {n}", "status": "Won", "rating": n % 5 + 1} for n in range(120)}
        made = {number: caller.create(phone=number, **fields)["lead_id"] for number, fields in given.items()}
        first = run("sources", "sync", source, "--wait", data=data)
        wait_for(lambda: reader.search({})["total_count"] == len(given))
        rows = [row for skip in (0, 100) for row in reader.search({}, skip=skip, limit=100)["data"]]
        caller.update(made[min(made)], name="Janet", note="changed")
        second = run("sources", "sync", source, "--wait", data=data)
        wait_for(lambda: _fields(reader, min(made)).get("note") == "changed")

    assert (first["status"], first["changed"], second["status"]) == ("completed", 120, "completed")
    shown = {row["fields"]["phone"]: row["fields"] for row in rows}
    assert shown == {number: {"phone": number} | fields for number, fields in given.items()}


def _fields(reader: Telecrm, number: str) -> dict[str, Any]:
    [row] = reader.search({"fields": {"phone": number}})["data"]
    fields: dict[str, Any] = row["fields"]
    return fields
