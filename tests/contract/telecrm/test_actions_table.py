"""Actions of the telecrm Sync API, row by row; marked as in test_leads_table."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from libs.cli.stack.hub import Hub
from tests.contract.telecrm.caller import SPEC, Telecrm, refused
from tests.fixtures.spaces import create_space

VISIT: dict[str, Any] = {"type": "1001", "fields": {"note": "Site visit completed"}}
PAID: dict[str, Any] = {"type": "PAYMENT", "status": "PENDING", "currency": "INR", "amount": "10000"}
BAD_PAYMENTS: dict[str, list[Any]] = {
    "status": ["PAID", "pending", "", None, 5, []],
    "currency": ["EUR", "inr", "", None, 5],
    "amount": ["0", "-1", "0.0", "", "ten", "1,000", "1e3", None, 5, []],
}
FIXED = "Cannot update amount, currency, or paymentid fields for existing payment action."


@pytest.fixture
def lead_id(telecrm: Telecrm) -> str:
    return str(telecrm.create()["lead_id"])


def add(telecrm: Telecrm, lead_id: str, *actions: Any) -> dict[str, Any]:
    answer = telecrm.post(f"lead/{lead_id}/action", {"actions": list(actions)})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def ids(made: dict[str, Any]) -> list[Any]:
    return [each["action_id"] for each in made["actions"]]


# 5. POST /lead/{leadId}/action


def test_actions_are_told_in_request_order__s(telecrm: Telecrm, lead_id: str) -> None:
    made = add(telecrm, lead_id, VISIT, PAID | {"amount": "0"}, PAID, {"type": "1001", "fields": {"email": "x"}})

    assert list(made) == ["lead_id", "actions", "remarks"]
    assert made["lead_id"] == lead_id
    assert [each["status"] for each in made["actions"]] == ["CREATED", "IGNORED", "CREATED", "IGNORED"]
    assert [each is None for each in ids(made)] == [False, True, False, True]
    assert [(each["field"], each["status"]) for each in made["remarks"]] == [
        ("actions[1].amount", "IGNORED"), ("actions[3].fields.email", "IGNORED"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "kind", ["OUTGOING_CALL", "INCOMING_WHATSAPP_MSG", "ACTION_1001", "payment", "", None, 1001, []]
)
def test_other_types_cannot_be_created_and_nothing_is_written__s(telecrm: Telecrm, lead_id: str, kind: Any) -> None:
    answer = telecrm.post(f"lead/{lead_id}/action", {"actions": [VISIT, {"type": kind}]})

    refused(answer, 400, "BAD_REQUEST", "Only custom actions and payment actions can be created")
    assert telecrm.post(f"lead/{lead_id}/action/search", {}).json()["total_count"] == 0


def test_a_code_that_is_not_defined_is_ignored__i(telecrm: Telecrm, lead_id: str) -> None:
    made = add(telecrm, lead_id, {"type": "9999"}, VISIT)

    assert [each["status"] for each in made["actions"]] == ["IGNORED", "CREATED"]


@pytest.mark.parametrize("body", [{}, {"actions": []}, {"actions": None}, {"actions": {}}, {"actions": "1001"}])
def test_a_body_without_actions_is_400__i(telecrm: Telecrm, lead_id: str, body: Any) -> None:
    refused(telecrm.post(f"lead/{lead_id}/action", body), 400, "BAD_REQUEST")


@pytest.mark.parametrize("status", ["PENDING", "COMPLETED", "FAILED", "REFUNDED", "CANCELLED", "PROCESSING"])
def test_every_payment_status_is_taken__d(telecrm: Telecrm, lead_id: str, status: str) -> None:
    made = add(telecrm, lead_id, PAID | {"status": status})

    assert telecrm.get(f"lead/{lead_id}/action/{ids(made)[0]}").json() == PAID | {"status": status}


@pytest.mark.parametrize("currency", ["INR", "USD", "PKR", "AED", "QAR", "SAR", "MYR", "AUD", "CAD", "SGD", "XOF"])
def test_every_currency_is_taken__d(telecrm: Telecrm, lead_id: str, currency: str) -> None:
    assert ids(add(telecrm, lead_id, PAID | {"currency": currency})) != [None]


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in BAD_PAYMENTS.items() for value in values],
)
def test_a_bad_payment_is_ignored_with_a_remark__d(telecrm: Telecrm, lead_id: str, name: str, value: Any) -> None:
    made = add(telecrm, lead_id, PAID | {name: value})

    assert made["actions"] == [{"action_id": None, "status": "IGNORED"}]
    assert [each["field"] for each in made["remarks"]] == [f"actions[0].{name}"]


# 6. GET /lead/{leadId}/action/{actionId}


def test_an_action_is_read_as_it_was_written__s(telecrm: Telecrm, lead_id: str) -> None:
    custom, payment = ids(add(telecrm, lead_id, VISIT, PAID))

    assert telecrm.get(f"lead/{lead_id}/action/{custom}").json() == VISIT
    assert telecrm.get(f"lead/{lead_id}/action/{payment}").json() == PAID


@pytest.mark.parametrize("action_id", ["62ab16e", "603d2b2f9b1e8a001c8e4f5d", "%00", "🙂"])
def test_an_unknown_action_is_404__s(telecrm: Telecrm, lead_id: str, action_id: str) -> None:
    for answer in (
        telecrm.get(f"lead/{lead_id}/action/{action_id}"),
        telecrm.post(f"lead/{lead_id}/action/{action_id}", {"type": "1001"}),
    ):
        assert answer.status_code in ({400, 404} if action_id == "%00" else {404})
        assert answer.json()["error"]["code"] in {"ACTION_NOT_FOUND", "BAD_REQUEST"}


def test_an_action_of_another_lead_is_unknown__i(telecrm: Telecrm, lead_id: str) -> None:
    other = telecrm.create(VISIT)

    refused(telecrm.get(f"lead/{lead_id}/action/{ids(other)[0]}"), 404, "ACTION_NOT_FOUND")


# 7. POST /lead/{leadId}/action/{actionId}


def test_fields_of_a_custom_action_change_one_by_one__d(telecrm: Telecrm, lead_id: str) -> None:
    [action_id] = ids(add(telecrm, lead_id, VISIT))

    answer = telecrm.post(f"lead/{lead_id}/action/{action_id}", {"type": "1001", "fields": {"outcome": "Interested"}})

    assert answer.status_code == 200
    assert answer.json() == {"type": "1001", "fields": {"note": "Site visit completed", "outcome": "Interested"}}
    assert telecrm.get(f"lead/{lead_id}/action/{action_id}").json() == answer.json()


def test_only_the_status_of_a_payment_changes__s(telecrm: Telecrm, lead_id: str) -> None:
    [action_id] = ids(add(telecrm, lead_id, PAID))

    answer = telecrm.post(f"lead/{lead_id}/action/{action_id}", {"type": "PAYMENT", "status": "COMPLETED"})

    assert (answer.status_code, answer.json()) == (200, PAID | {"status": "COMPLETED"})
    for name in ("amount", "currency", "paymentid"):
        body = {"type": "PAYMENT", "status": "FAILED", name: PAID.get(name, "p1")}
        refused(telecrm.post(f"lead/{lead_id}/action/{action_id}", body), 400, "BAD_REQUEST", FIXED)
    assert telecrm.get(f"lead/{lead_id}/action/{action_id}").json()["status"] == "COMPLETED"


@pytest.mark.parametrize("body", [{}, {"type": "1002"}, {"type": "PAYMENT"}, {"type": "ACTION_1001"}, {"type": 1001}])
def test_the_type_must_be_the_stored_one__s(telecrm: Telecrm, lead_id: str, body: Any) -> None:
    [action_id] = ids(add(telecrm, lead_id, VISIT))

    refused(telecrm.post(f"lead/{lead_id}/action/{action_id}", body), 400, "BAD_REQUEST")


def test_a_bad_value_of_an_action_changes_nothing__i(telecrm: Telecrm, lead_id: str) -> None:
    custom, payment = ids(add(telecrm, lead_id, VISIT, PAID))
    path = f"lead/{lead_id}/action/"

    answer = telecrm.post(path + custom, {"type": "1001", "fields": {"note": "changed", "email": "x"}})
    refused(answer, 400, "VALIDATION_ERROR", "Email is invalid")
    refused(telecrm.post(path + payment, {"type": "PAYMENT", "status": "DONE"}), 400, "VALIDATION_ERROR")

    assert telecrm.get(path + custom).json() == VISIT
    assert telecrm.get(path + payment).json() == PAID


# 8. POST /lead/{leadId}/action/search


def test_actions_are_found_newest_first_page_by_page__s(telecrm: Telecrm, lead_id: str) -> None:
    made = [ids(add(telecrm, lead_id, {"type": "1001", "fields": {"note": str(n)}}))[0] for n in range(5)]

    first = telecrm.post(f"lead/{lead_id}/action/search", {}, limit=3).json()
    rest = telecrm.post(f"lead/{lead_id}/action/search", b"", skip=3).json()

    assert [row["id"] for row in first["data"] + rest["data"]] == made[::-1]
    assert (first["total_count"], first["skip"], first["limit"]) == (5, 0, 3)
    assert (rest["total_count"], rest["skip"], rest["limit"]) == (5, 3, 10)
    assert first["data"][0] == {"id": made[4], "type": "1001", "fields": {"note": "4"}}


def test_filters_of_actions_combine__d(telecrm: Telecrm, lead_id: str) -> None:
    early, late = 1_700_000_000_000, 1_760_000_000_000
    add(
        telecrm,
        lead_id,
        VISIT | {"created_on": early},
        PAID | {"created_on": late},
        VISIT | {"created_on": "01/01/2026"},
    )

    def found(**body: Any) -> list[str]:
        return [row["type"] for row in telecrm.post(f"lead/{lead_id}/action/search", body).json()["data"]]

    assert found() == ["1001", "PAYMENT", "1001"]
    assert found(type="PAYMENT") == found(type="payment") == ["PAYMENT"]
    assert found(type="1001", created_on={"from": late}) == ["1001"]
    assert found(created_on={"from": early, "to": late}) == ["PAYMENT", "1001"]
    assert found(created_on={"from": "01/01/2026 00:00:00", "to": "01/01/2026"}) == ["1001"]
    assert found(type="OUTGOING_CALL") == found(performed_by=["603d2b2f9b1e8a001c8e4f5c"]) == []


@pytest.mark.parametrize(
    "body",
    [{"type": 5}, {"type": ""}, {"type": "a b"}, {"created_on": "x"}, {"created_on": {"from": "2026-04-01"}},
     {"created_on": {"to": "32/01/2026"}}, {"performed_by": 5}, {"performed_by": [None]}],
)  # fmt: skip
def test_a_bad_filter_is_400__s(telecrm: Telecrm, lead_id: str, body: Any) -> None:
    refused(telecrm.post(f"lead/{lead_id}/action/search", body), 400, "BAD_REQUEST", "Invalid filter")


@pytest.fixture(scope="module")
def stranger(hub: Hub, admin: httpx.Client) -> Iterator[Telecrm]:
    """A caller of another workspace."""
    with Telecrm.of(create_space(hub, admin, **SPEC)) as caller:
        yield caller


def test_leads_of_another_workspace_look_as_unknown__i(telecrm: Telecrm, stranger: Telecrm) -> None:
    made = telecrm.create(VISIT)

    refused(stranger.get(f"lead/{made['lead_id']}"), 404, "LEAD_NOT_FOUND")
    refused(stranger.get(f"lead/{made['lead_id']}/action/{ids(made)[0]}"), 404, "LEAD_NOT_FOUND")
    refused(stranger.update(made["lead_id"], note="n"), 404, "LEAD_NOT_FOUND")
    assert stranger.search({})["total_count"] == 0
