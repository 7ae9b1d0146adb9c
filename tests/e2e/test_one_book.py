"""One contact with several faces: what one API writes the others show, and what they cannot show they keep."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from libs.cli.stack.hub import Hub
from tests.e2e.test_import_path import mobile
from tests.fixtures.partner import Partner, create_client
from tests.fixtures.spaces import Space, create_space
from tests.fixtures.waiting import look, wait_for


@pytest.fixture
def space(hub: Hub, admin: httpx.Client) -> Space:
    return create_space(hub, admin)


@pytest.fixture
def connect(space: Space) -> Iterator[httpx.Client]:
    with space.connect() as http:
        yield http


@pytest.fixture
def source(space: Space) -> Iterator[httpx.Client]:
    with space.source() as http:
        yield http


@pytest.fixture
def telecrm(space: Space) -> Iterator[httpx.Client]:
    base = f"{space.hub.url}/autoupdate/v2/enterprise/{space.enterprise_id}"
    headers = {"Authorization": f"Bearer {space.token('sync')}"}
    with httpx.Client(base_url=base, headers=headers, timeout=30, trust_env=False) as http:
        yield http


@pytest.fixture
def importer(hub: Hub, admin: httpx.Client, space: Space) -> Iterator[Partner]:
    """Whose contacts land in the workspace."""
    with create_client(hub, admin, rate=1000, workspace_id=space.enterprise_id) as client:
        yield client


def test_an_import_is_at_once_visible_through_all_three_apis(
    importer: Partner, connect: httpx.Client, source: httpx.Client, telecrm: httpx.Client
) -> None:
    before, phone = int(time.time()), mobile()
    fields = {"first_name": "Анна", "Фамилия": "Иванова", "email": f"a{phone[1:]}@example.com", "company": "eos",
              "job_title": "Buyer", "lead_status": "new lead"}  # fmt: skip

    importer.finished(importer.post([{"phone": phone, "tags": ["лид"], "additionalFields": fields}]).json()["job_id"])

    (shown,) = look(lambda: connect.get("contacts").json() or None, what="the contact")
    assert (shown["fullName"], shown["email"], shown["phoneNumbers"]) == ("Анна Иванова", fields["email"], [phone])
    assert (shown["companyName"], shown["jobTitle"]) == ("eos", "Buyer")
    assert shown["leadStatus"]["label"] == "New Lead"
    (listed,) = source.get("contacts").json()["contacts"]
    assert (listed["first_name"], listed["last_name"], listed["company"]) == ("Анна", "Иванова", "eos")
    assert source.get("contacts/delta", params={"timestamp": before}).json()["updated"] == [listed]
    lead = telecrm.get(f"/lead/{listed['id']}").json()["fields"]
    assert lead["phone"] == phone.removeprefix("+")
    assert lead["name"] == "Анна Иванова"


def test_what_an_api_cannot_show_is_kept_when_it_writes(
    space: Space, connect: httpx.Client, source: httpx.Client, telecrm: httpx.Client
) -> None:
    phone = mobile()
    given = {"firstName": "Jane", "lastName": "Smith", "email": f"j{phone[1:]}@example.com", "phoneNumbers": [phone]}
    hidden = {"twitterUrl": "https://x.com/jane", "linkedinUrl": "https://linkedin.com/in/jane", "note": "Ring twice"}
    made = connect.post("contacts", json={**given, **hidden, "leadStatus": 2}).json()
    (contact_id,) = (contact["id"] for contact in source.get("contacts").json()["contacts"])

    changed = telecrm.post(f"/lead/{contact_id}", json={"fields": {"name": "Jane Doe"}})

    assert changed.status_code == 200, changed.text
    (now,) = connect.get("contacts").json()
    assert now["lastActivityAt"] is not None
    assert now == made | {"lastName": "Doe", "fullName": "Jane Doe", "lastActivityAt": now["lastActivityAt"]}
    kept = _operators(space, contact_id)
    assert kept["twitterUrl"] == hidden["twitterUrl"]


def test_a_deletion_is_seen_by_all(
    space: Space, connect: httpx.Client, source: httpx.Client, telecrm: httpx.Client
) -> None:
    lead_id = telecrm.post("/lead", json={"fields": {"phone": mobile(), "name": "Gone Soon"}}).json()["lead_id"]
    assert [contact["fullName"] for contact in connect.get("contacts").json()] == ["Gone Soon"]

    space.delete(lead_id)

    assert connect.get("contacts").json() == []
    assert telecrm.get(f"/lead/{lead_id}").status_code == 404
    assert source.get("contacts/delta?timestamp=0").json() == {"updated": [], "deleted": [lead_id], "has_more": False}
    wait_for(lambda: connect.get("contacts?query=gone").json() == [], what="the search to forget")


def _operators(space: Space, contact_id: str) -> dict[str, Any]:
    """The additional fields, as the operator sees them."""
    answer = space.admin.get(f"/admin/v1/contacts/{contact_id}", params={"workspace_id": space.enterprise_id})
    fields: dict[str, Any] = json.loads(answer.json()["contact"]["additional_fields"])
    return fields
