"""Actions as they are given, one by one."""

from datetime import timedelta
from typing import Any

import pytest

from services.directory.domain.action import ActionId
from services.directory.domain.contact import ContactId
from services.directory.domain.telecrm.actions import changed_action, is_writable, judge_actions, shown_action
from services.directory.domain.telecrm.moments import to_millis
from services.directory.domain.telecrm.refusals import BadRequestError, InvalidValueError
from tests.unit.directory.telecrm.worlds import NOW, facts, workspace

WORKSPACE = workspace()
FACTS = facts(WORKSPACE)
PAID: dict[str, Any] = {"type": "PAYMENT", "status": "PENDING", "currency": "INR", "amount": "10000"}
VISIT: dict[str, Any] = {"type": "1001", "fields": {"note": "Site visit completed"}}


def judged(*actions: Any, prefix: str = "") -> tuple[list[Any], list[tuple[str, str]]]:
    found = judge_actions(list(actions), WORKSPACE, FACTS, now=NOW, prefix=prefix)
    shown = [draft and shown_action(draft.action(ActionId("a"), ContactId("c"), now=NOW)) for draft in found.drafts]
    return shown, [(each.field, each.remark) for each in found.remarks]


def test_good_actions_are_kept_in_order() -> None:
    assert judged(VISIT, PAID, {"type": "1002"}) == ([VISIT, PAID, {"type": "1002", "fields": {}}], [])


def test_a_bad_action_spoils_no_other() -> None:
    shown, remarks = judged(VISIT, {"type": "1001", "fields": {"email": "x"}}, PAID)

    assert shown == [VISIT, None, PAID]
    assert remarks == [("actions[1].fields.email", "Email is invalid")]


def test_a_bad_field_spoils_no_other() -> None:
    shown, remarks = judged({"type": "1001", "fields": {"note": "n", "email": "x"}})

    assert shown == [{"type": "1001", "fields": {"note": "n"}}]
    assert remarks == [("actions[0].fields.email", "Email is invalid")]


@pytest.mark.parametrize(
    ("action", "field"),
    [
        (None, "actions[0]"),
        ("1001", "actions[0]"),
        ({}, "actions[0].type"),
        ({"type": 1001}, "actions[0].type"),
        ({"type": "OUTGOING_CALL"}, "actions[0].type"),
        ({"type": "ACTION_1001"}, "actions[0].type"),
        ({"type": "payment"}, "actions[0].type"),
        ({"type": "9999"}, "actions[0].type"),
        ({"type": "1001", "fields": []}, "actions[0].fields"),
        (PAID | {"status": "PAID"}, "actions[0].status"),
        (PAID | {"status": ["PENDING"]}, "actions[0].status"),
        (PAID | {"currency": "EUR"}, "actions[0].currency"),
        (PAID | {"currency": "inr"}, "actions[0].currency"),
        *(
            (PAID | {"amount": amount}, "actions[0].amount")
            for amount in ("0", "-5", "0.00", "", "ten", "1e3", 5, None)
        ),
        (VISIT | {"created_on": "2026-01-01"}, "actions[0].created_on"),
        (VISIT | {"created_on": to_millis(NOW + timedelta(days=1))}, "actions[0].created_on"),
    ],
)
def test_an_action_that_cannot_be_kept_is_remarked_where_it_is_wrong(action: Any, field: str) -> None:
    shown, remarks = judged(action)

    assert shown == [None]
    assert [where for where, _ in remarks] == [field]


def test_a_payment_lacks_everything_at_once() -> None:
    assert [where for where, _ in judged({"type": "PAYMENT"})[1]] == [
        "actions[0].status", "actions[0].currency", "actions[0].amount",
    ]  # fmt: skip


def test_the_async_api_wants_the_prefix() -> None:
    shown, remarks = judged(VISIT, VISIT | {"type": "ACTION_1001"}, PAID, prefix="ACTION_")

    assert shown == [None, VISIT, PAID]
    assert [where for where, _ in remarks] == ["actions[0].type"]


def test_which_types_can_be_written_at_all() -> None:
    assert is_writable("1001")
    assert is_writable("PAYMENT")
    others: list[Any] = ["OUTGOING_CALL", "ACTION_1001", "", "10 01", 1001, None, [], "١٠٠١"]
    assert not any(is_writable(kind) for kind in others)


def custom() -> Any:
    [draft] = judge_actions([VISIT], WORKSPACE, FACTS, now=NOW).drafts
    assert draft is not None
    return draft.action(ActionId("a"), ContactId("c"), now=NOW)


def payment() -> Any:
    [draft] = judge_actions([PAID], WORKSPACE, FACTS, now=NOW).drafts
    assert draft is not None
    return draft.action(ActionId("a"), ContactId("c"), now=NOW)


def test_a_custom_action_changes_field_by_field() -> None:
    changed = changed_action(custom(), {"type": "1001", "fields": {"email": "a@b.co", "who": 1}}, WORKSPACE, FACTS)

    assert shown_action(changed) == {"type": "1001", "fields": {"note": "Site visit completed", "email": "a@b.co"}}


def test_only_the_status_of_a_payment_changes() -> None:
    changed = changed_action(payment(), {"type": "PAYMENT", "status": "COMPLETED"}, WORKSPACE, FACTS)

    assert shown_action(changed) == PAID | {"status": "COMPLETED"}


@pytest.mark.parametrize("name", ["amount", "currency", "paymentid"])
def test_what_a_payment_is_of_cannot_be_changed(name: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        changed_action(payment(), {"type": "PAYMENT", name: PAID.get(name)}, WORKSPACE, FACTS)

    assert caught.value.message == ("Cannot update amount, currency, or paymentid fields for existing payment action.")


@pytest.mark.parametrize("body", [{}, {"type": "1002"}, {"type": "PAYMENT"}, {"type": "ACTION_1001"}, {"type": 1001}])
def test_the_type_of_an_action_stays(body: Any) -> None:
    with pytest.raises(BadRequestError):
        changed_action(custom(), body, WORKSPACE, FACTS)


@pytest.mark.parametrize(
    ("action", "body"),
    [
        (custom(), {"type": "1001", "fields": {"email": "x"}}),
        (payment(), {"type": "PAYMENT", "status": "DONE"}),
        (payment(), {"type": "PAYMENT", "status": None}),
    ],
)
def test_a_bad_value_changes_nothing(action: Any, body: Any) -> None:
    with pytest.raises(InvalidValueError):
        changed_action(action, body, WORKSPACE, FACTS)
