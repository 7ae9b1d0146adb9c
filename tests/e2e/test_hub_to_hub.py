"""The hub's own clients of sources against the hub's own servers: what one workspace has comes into another."""

import json
from typing import Any

import httpx
import pytest

from libs.cli.stack.hub import Hub
from tests.e2e.test_cli import run
from tests.e2e.test_import_path import mobile
from tests.fixtures.spaces import Space, create_space
from tests.fixtures.waiting import PATIENCE_SECONDS, wait_for

LONGEST = str(PATIENCE_SECONDS)
QUICK = {"page_size": 2, "interval_h": 24, "retry": {"first_delay_s": 0.01, "max_attempts": 3}}


@pytest.fixture
def theirs(hub: Hub, admin: httpx.Client) -> Space:
    return create_space(hub, admin)


@pytest.fixture
def ours(hub: Hub, admin: httpx.Client) -> Space:
    return create_space(hub, admin)


@pytest.fixture
def phones(theirs: Space) -> list[str]:
    """Of five contacts that the other workspace has."""
    numbers = [mobile() for _ in range(5)]
    with theirs.connect() as http:
        for place, phone in enumerate(numbers):
            given = {"firstName": f"N{place}", "lastName": "Doe", "email": f"n{phone[1:]}@example.com"}
            assert http.post("contacts", json={**given, "phoneNumbers": [phone]}).status_code == 200
    return numbers


def create_source(kind: str, theirs: Space, ours: Space) -> str:
    """A source in our workspace that reads theirs."""
    url, secrets, config = theirs.hub.url, [], dict[str, Any](QUICK)
    match kind:
        case "custom":
            access = theirs.access()
            url += "/contact-source"
            secrets = ["--client-id", access.client_id, "--client-secret", access.client_secret]
        case "connect":
            config["api_key"] = theirs.connect_key()
        case "telecrm":
            url += "/autoupdate/v2"
            config |= {"token": theirs.token("sync"), "enterprise_id": theirs.enterprise_id}
    made = run(
        "sources", "create", "--kind", kind, "--url", url, "--workspace", ours.enterprise_id, *secrets,
        "--config", json.dumps(config), data=theirs.hub.plan.folder.root,
    )  # fmt: skip
    return str(made["id"])


def sync(source_id: str, space: Space, *options: str) -> dict[str, Any]:
    ended: dict[str, Any] = run(
        "sources",
        "sync",
        source_id,
        "--wait",
        "--timeout",
        LONGEST,
        *options,
        data=space.hub.plan.folder.root,
    )
    assert ended["status"].lower().endswith("completed"), ended
    return ended


def contacts(space: Space) -> dict[str, dict[str, Any]]:
    """By their first phone, as the connect API shows them."""
    with space.connect() as http:
        return {contact["phoneNumbers"][0]: contact for contact in http.get("contacts").json()}


@pytest.mark.parametrize("kind", ["custom", "connect", "telecrm"])
def test_contacts_of_one_workspace_come_into_another(theirs: Space, ours: Space, phones: list[str], kind: str) -> None:
    source_id = create_source(kind, theirs, ours)

    sync(source_id, ours, "--full")

    wait_for(lambda: contacts(ours).keys() == set(phones), what="the contacts")
    arrived = contacts(ours)
    assert {each["fullName"] for each in arrived.values()} == {f"N{place} Doe" for place in range(5)}
    assert {each["email"] for each in arrived.values()} == {f"n{phone[1:]}@example.com" for phone in phones}


def test_changes_and_deletions_follow(theirs: Space, ours: Space, phones: list[str]) -> None:
    source_id = create_source("custom", theirs, ours)
    sync(source_id, ours, "--full")
    wait_for(lambda: contacts(ours).keys() == set(phones), what="the contacts")
    known = contacts(theirs)

    theirs.change(str(known[phones[0]]["id"]), company="eos")
    theirs.delete(str(known[phones[1]]["id"]))
    sync(source_id, ours)

    wait_for(lambda: contacts(ours).keys() == {phones[0], *phones[2:]}, what="the deletion")
    wait_for(lambda: contacts(ours)[phones[0]]["companyName"] == "eos", what="the change")
