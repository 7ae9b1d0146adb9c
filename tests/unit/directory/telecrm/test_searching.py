"""Searches, pages and members as they are given."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.directory.domain.identity import email_identity, phone_identity
from services.directory.domain.leads import AnyOf
from services.directory.domain.member import MemberState
from services.directory.domain.telecrm.members import read_new_member, read_state
from services.directory.domain.telecrm.paging import Paging, read_choice, read_paging
from services.directory.domain.telecrm.refusals import BadRequestError
from services.directory.domain.telecrm.searching import read_action_search, read_lead_search
from services.directory.domain.terms import terms_of
from tests.unit.directory.telecrm.test_leads import created
from tests.unit.directory.telecrm.worlds import facts, workspace

WORKSPACE = workspace()
FACTS = facts(WORKSPACE)
LEAD = created(
    {"phone": "919999999999", "name": "Jane Doe", "rating": 4, "status": "Won", "contact_source": "Website",
     "visit": 1672531200000, "interests": ["VIP", "Old"], "budget": "1000"}
)  # fmt: skip


def found(field: str, value: Any) -> bool:
    """Whether a store would find the lead by it."""
    query = read_lead_search({"fields": {field: value}}, WORKSPACE, FACTS, Paging())
    terms, identities = terms_of(LEAD.details, WORKSPACE), set(LEAD.details.identities)
    return all(
        not terms.isdisjoint(any_of.terms) or not identities.isdisjoint(any_of.identities) for any_of in query.all_of
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("phone", "9999999999"),
        ("phone", ["111", "+919999999999"]),
        ("name", "jane DOE"),
        ("rating", 4),
        ("rating", "4"),
        ("status", "Won"),
        ("status", ["Lost", "Won"]),
        ("contact_source", "WEBSITE"),
        ("visit", "01/01/2023"),
        ("visit", 1672531200000),
        ("interests", "vip"),
        ("budget", "1000.00"),
    ],
)
def test_a_lead_is_found_by_its_values(field: str, value: Any) -> None:
    assert found(field, value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("phone", "99999"),
        ("name", "jane"),
        ("name", "%"),
        ("name", "Jane_Doe"),
        ("rating", 5),
        ("status", "won"),
        ("status", []),
        ("interests", "VIP, Old"),
        ("email", "jane@example.com"),
        ("note", "'; DROP TABLE contacts; --"),
    ],
)
def test_a_lead_is_found_by_nothing_else(field: str, value: Any) -> None:
    assert not found(field, value)


def test_identities_are_asked_for_as_such() -> None:
    query = read_lead_search({"fields": {"phone": "9999999999", "email": " A@b.co"}}, WORKSPACE, FACTS, Paging(5, 20))

    assert query.all_of == (
        AnyOf(identities=frozenset({phone_identity("+919999999999")})),
        AnyOf(identities=frozenset({email_identity("a@b.co")})),
    )
    assert (query.skip, query.limit) == (5, 20)


def test_bounds_are_inclusive() -> None:
    body = {"fields": {"created_on": {"from": "01/04/2026", "to": "30/04/2026"}}}

    query = read_lead_search(body, WORKSPACE, FACTS, Paging())

    assert query.created_from == datetime(2026, 4, 1, tzinfo=UTC)
    assert query.created_to == datetime(2026, 4, 30, 23, 59, 59, 999_999, tzinfo=UTC)


def test_an_upper_bound_includes_its_millisecond() -> None:
    which = read_action_search({"created_on": {"to": 1}})

    assert which.until == datetime(1970, 1, 1, 0, 0, 0, 1999, tzinfo=UTC)


def test_one_action_is_asked_for_by_all_its_criteria() -> None:
    body = {"actions": {"type": ["1001", "payment", "OUTGOING_CALL"], "performed_by": "a@b.co", "performed_at": {}}}

    which = read_lead_search(body, WORKSPACE, FACTS, Paging()).actions

    assert which is not None
    assert which.types == ("ACTION_1001", "PAYMENT", "other OUTGOING_CALL")
    assert which.performers == ("a@b.co",)


@pytest.mark.parametrize(
    "body",
    [
        {"fields": []},
        {"fields": None},
        {"fields": "phone"},
        {"actions": []},
        {"fields": {"who": "x"}},
        {"fields": {"name": None}},
        {"fields": {"name": {"a": 1}}},
        {"fields": {"name": [["a"]]}},
        {"fields": {"created_on": 5}},
        {"fields": {"created_on": {"from": "2026-01-01"}}},
        {"fields": {"created_on": {"to": None}}},
        {"fields": {"name": ["a"] * 1001}},
        {"actions": {"type": 5}},
        {"actions": {"type": "no type"}},
        {"actions": {"performed_by": [1]}},
        {"actions": {"performed_at": "yesterday"}},
    ],
)
def test_a_bad_search_is_refused(body: Any) -> None:
    with pytest.raises(BadRequestError):
        read_lead_search(body, WORKSPACE, FACTS, Paging())


@pytest.mark.parametrize("body", [{"type": ""}, {"type": None}, {"created_on": []}, {"performed_by": ""}])
def test_a_bad_filter_of_actions_is_told_in_the_documents_words(body: Any) -> None:
    with pytest.raises(BadRequestError) as caught:
        read_action_search(body)

    assert caught.value.message == "Invalid filter"


@pytest.mark.parametrize("limit", ["0", "-1", "101", "1.5", "abc", " 5", "+5", "١٠", "1e1", "99999999999999999999"])
@pytest.mark.parametrize("most", [10, 100])
def test_a_bad_limit_is_told_with_the_bounds(limit: str, most: int) -> None:
    with pytest.raises(BadRequestError) as caught:
        read_paging("", limit, most=most)

    assert caught.value.message == f"Limit should be between 1 and {most}"


@pytest.mark.parametrize("skip", ["-1", "1.5", "abc", "9" * 30])
def test_a_bad_skip_is_refused(skip: str) -> None:
    with pytest.raises(BadRequestError):
        read_paging(skip, "", most=10)


def test_pages_have_ten_results_from_the_first() -> None:
    assert read_paging("", "", most=10) == Paging(0, 10)
    assert read_paging("20", "100", most=100) == Paging(20, 100)


def test_choices_are_true_or_false() -> None:
    assert [read_choice(text, "detail") for text in ("true", "TRUE", "false", "")] == [True, True, False, False]
    for text in ("1", "yes", "null", " true"):
        with pytest.raises(BadRequestError):
            read_choice(text, "detail")


MEMBER = {"name": "John Doe", "email": "John@example.com", "phone_number": "919876543210", "role": "CALLER"}


def test_a_member_without_a_password_is_invited() -> None:
    assert read_new_member(MEMBER).invited
    assert not read_new_member(MEMBER | {"password": "secret"}).invited


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("name", [None, "", "  ", 5, "x" * 257]),
        ("email", [None, "", "john", "john@example", 5]),
        ("phone_number", [None, "", "+919876543210", "91 98765 43210", "91-9876-543210", 919876543210, "12", "0" * 12]),
        ("role", [None, "", "caller", "BOSS", 5, ["ADMIN"]]),
        ("password", ["", 5, [], False]),
    ],
)
def test_each_bad_field_of_a_member_is_told(name: str, values: list[Any]) -> None:
    for value in values:
        with pytest.raises(BadRequestError) as caught:
            read_new_member(MEMBER | {name: value})

        assert [each.pointer for each in caught.value.violations] == [f"/{name}"]


def test_all_bad_fields_of_a_member_are_told_at_once() -> None:
    with pytest.raises(BadRequestError) as caught:
        read_new_member({})

    assert [each.pointer for each in caught.value.violations] == ["/name", "/email", "/phone_number", "/role"]
    assert caught.value.violations[3].message == "Invalid role. Allowed roles: ADMIN, MANAGER, CALLER, MARKETING_USER"


def test_a_state_is_one_of_four() -> None:
    assert read_state({"email": "a@b.co", "state": "On Leave"}) == ("a@b.co", MemberState.ON_LEAVE)
    for state in ("Invited", "Deleted", "on leave", "", None, 5):
        with pytest.raises(BadRequestError):
            read_state({"email": "a@b.co", "state": state})
    with pytest.raises(BadRequestError):
        read_state({"email": "a", "state": "Active"})
