"""The telecrm Async API, row by row; marked as in test_leads_table."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.telecrm.caller import Telecrm, phone, refused
from tests.fixtures.spaces import Space
from tests.fixtures.waiting import look

NOTE = {"type": "ACTION_1001", "fields": {"note": "Site visit completed"}}
PAID = {"type": "PAYMENT", "status": "COMPLETED", "currency": "INR", "amount": "5000"}


@pytest.fixture(scope="module")
def later(space: Space) -> Iterator[Telecrm]:
    """A caller of the Async API."""
    with Telecrm.of(space, kind="async") as caller:
        yield caller


def queue(later: Telecrm, *actions: Any, **fields: Any) -> None:
    answer = later.post("autoupdatelead", {"fields": fields, "actions": list(actions)})
    assert (answer.status_code, answer.json()) == (200, {"status": "QUEUED"})


def lead(telecrm: Telecrm, **fields: Any) -> dict[str, Any]:
    """The lead of these values, once it is there."""

    def find() -> dict[str, Any] | None:
        rows = telecrm.search({"fields": fields})["data"]
        return rows[0] if rows else None

    return look(find, what="the lead")


def test_what_is_queued_becomes_a_lead_with_its_actions__d(telecrm: Telecrm, later: Telecrm) -> None:
    number = phone()

    queue(later, NOTE, PAID, phone=f"+{number}", name="Jane Doe", rating=4)

    row = lead(telecrm, phone=number)
    assert row["fields"] == {"phone": number, "name": "Jane Doe", "status": "Fresh", "rating": 4}
    actions = telecrm.get(f"lead/{row['id']}", includeActions="true").json()["actions"]
    assert actions == [PAID, NOTE | {"type": "1001"}]


def test_a_known_lead_is_updated_in_the_order_of_arrival__d(telecrm: Telecrm, later: Telecrm) -> None:
    number = phone()
    made = telecrm.create(phone=number, name="Jane", note="n")

    for rating in (1, 2, 3, 4):
        queue(later, phone=number, rating=rating)
    queue(later, phone=number[2:], name="Janet")

    row = lead(telecrm, phone=number, name="Janet")
    assert row["id"] == made["lead_id"]
    assert row["fields"] == {"phone": number, "name": "Janet", "note": "n", "status": "Fresh", "rating": 4}


def test_what_cannot_be_kept_is_dropped_without_a_word__d(telecrm: Telecrm, later: Telecrm) -> None:
    number = phone()

    queue(later, name="nobody")
    queue(later, phone="99999")
    queue(later, {"type": "1001"}, {"type": "OUTGOING_CALL"}, NOTE, phone=number, rating="3", status="Old", who="x")

    row = lead(telecrm, phone=number)
    assert row["fields"] == {"phone": number, "status": "Fresh"}
    actions = telecrm.get(f"lead/{row['id']}", includeActions="true").json()["actions"]
    assert actions == [NOTE | {"type": "1001"}]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"fields": []}', b'{"fields": {}, "actions": {}}', b'{"fields": {"a": "\\u0000"}}']
)
def test_what_is_no_lead_at_all_is_400__i(later: Telecrm, body: bytes) -> None:
    refused(later.post("autoupdatelead", body), 400, "BAD_REQUEST")


def test_other_verbs_are_405_in_the_envelope__i(later: Telecrm) -> None:
    refused(later.get("autoupdatelead"), 405, "METHOD_NOT_ALLOWED")
