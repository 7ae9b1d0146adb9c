"""Leads of the telecrm Sync API, row by row: the document (S), other pages of its vendor (D), clients (C), ours (I).

Where a row can be observed it is a test, named by what it says and marked at its end.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.contract.telecrm.caller import Telecrm, phone, refused, unique
from tests.fixtures.partner import Partner, create_client
from tests.fixtures.spaces import Space

GOOD: dict[str, Any] = {
    "name": "Jane Doe",
    "email": "jane.doe@example.com",
    "note": "  text stays as it is ",
    "mobile": "919876543210",
    "deal_size": 156,
    "visit": 1672561800000,
    "contact_source": "Website",
    "interests": ["VIP", "Returning"],
    "budget": "1000",
    "site": "https://example.com",
    "brochure": "https://cdn.example.com/file.pdf",
    "rating": 4,
    "status": "Qualified",
    "why_lost": "Too expensive",
}
BAD: dict[str, Any] = {
    "name": 5,
    "email": "jane",
    "mobile": "99999",
    "deal_size": "many",
    "visit": "2026-01-01T10:30:00Z",
    "contact_source": ["Website"],
    "interests": "VIP, Returning",
    "budget": "much",
    "site": "example",
    "brochure": "file",
    "owner": "nobody@example.com",
    "rating": "3",
}


# 1. POST /lead


def test_create_answers_201_with_id_actions_and_remarks__s(telecrm: Telecrm) -> None:
    made = telecrm.post("lead", {"fields": {"phone": phone(), "name": "Jane"}})

    assert made.status_code == 201
    assert list(made.json()) == ["lead_id", "actions", "remarks"]
    assert made.json()["actions"] == made.json()["remarks"] == []


def test_fields_and_actions_that_fail_are_remarked_and_the_rest_is_kept__s(telecrm: Telecrm) -> None:
    made = telecrm.create(
        {"type": "1001", "fields": {"note": "n", "email": "x"}},
        {"type": "1001", "fields": {"email": "x"}},
        name="Jane",
        rating=9,
    )

    first, second = made["actions"]
    assert (first["status"], second) == ("CREATED", {"action_id": None, "status": "IGNORED"})
    assert made["remarks"] == [
        {"field": "fields.rating", "status": "IGNORED", "remark": "Rating must be between 1 and 5"},
        {"field": "actions[0].fields.email", "status": "IGNORED", "remark": "Email is invalid"},
        {"field": "actions[1].fields.email", "status": "IGNORED", "remark": "Email is invalid"},
    ]
    assert telecrm.fields(made["lead_id"])["name"] == "Jane"


@pytest.mark.parametrize("fields", [{}, {"name": "Jane"}, {"phone": ""}, {"phone": None}, {"phone": "x"}])
def test_create_without_an_identifier_is_400_invalid_lead__s(telecrm: Telecrm, fields: dict[str, Any]) -> None:
    refused(telecrm.post("lead", {"fields": fields}), 400, "INVALID_LEAD")


def test_create_of_a_known_identifier_is_409__s(telecrm: Telecrm) -> None:
    number = phone()
    telecrm.create(phone=number)

    for spelling in (number, f"+{number}", number[2:], f"+91 {number[2:7]} {number[7:]}"):
        refused(telecrm.post("lead", {"fields": {"phone": spelling}}), 409, "LEAD_ALREADY_EXISTS")


def test_of_200_creates_at_once_one_is_201_and_199_are_409__i(telecrm: Telecrm) -> None:
    number = phone()

    # Of more connections than it keeps, 20, httpx may close one that another thread was just given (httpcore, 1110).
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: telecrm.post("lead", {"fields": {"phone": number}}), range(200)))

    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 199]
    assert telecrm.phones(fields={"phone": number}) == [number]


@pytest.mark.parametrize("name", GOOD)
def test_values_that_fit_their_type_come_back__d(telecrm: Telecrm, name: str) -> None:
    made = telecrm.create(**{name: GOOD[name]})

    assert made["remarks"] == []
    assert telecrm.fields(made["lead_id"])[name] == GOOD[name]


@pytest.mark.parametrize("name", BAD)
def test_a_bad_value_on_create_is_201_with_a_remark__d(telecrm: Telecrm, name: str) -> None:
    made = telecrm.create(**{name: BAD[name]})

    [remark] = made["remarks"]
    assert (remark["field"], remark["status"]) == (f"fields.{name}", "IGNORED")
    assert remark["remark"]
    assert name not in telecrm.fields(made["lead_id"])


def test_an_unknown_field_is_remarked_on_create_and_ignored_on_update__i(telecrm: Telecrm) -> None:
    made = telecrm.create(who_knows="x")

    updated = telecrm.update(made["lead_id"], who_knows="x", note="n")

    assert [each["field"] for each in made["remarks"]] == ["fields.who_knows"]
    assert updated.status_code == 200
    assert updated.json()["fields"]["note"] == "n"
    assert "who_knows" not in updated.json()["fields"]


@pytest.mark.parametrize("label", ["Old Status", "fresh", "Nonsense", 5])
def test_a_status_that_is_not_active_is_dropped_and_the_call_succeeds__d(telecrm: Telecrm, label: Any) -> None:
    made = telecrm.create(status=label)
    telecrm.update(made["lead_id"], status="Won")

    updated = telecrm.update(made["lead_id"], status=label, note="n")

    assert updated.status_code == 200
    assert (updated.json()["fields"]["status"], updated.json()["fields"]["note"]) == ("Won", "n")


def test_an_unknown_label_creates_an_option__d(telecrm: Telecrm) -> None:
    label = unique()

    made = telecrm.create(contact_source=label)

    assert telecrm.fields(made["lead_id"])["contact_source"] == label
    options = telecrm.get("custom-fields/contact_source").json()["options"]
    assert [option["label"] for option in options].count(label) == 1


def test_a_field_for_members_takes_a_member__d(telecrm: Telecrm) -> None:
    email = f"{unique()}@example.com"
    member = {"name": "Agent", "email": email, "phone_number": "919876543210", "role": "CALLER"}
    assert telecrm.post("team-members", member).status_code == 201

    made = telecrm.create(owner=email.upper())

    assert made["remarks"] == []
    assert telecrm.search({"fields": {"owner": email}})["data"][0]["id"] == made["lead_id"]


# 2. GET /lead/{leadId}


def test_a_lead_has_fields_and_no_actions_unless_asked__s(telecrm: Telecrm) -> None:
    made = telecrm.create({"type": "1001", "fields": {"note": "n"}})

    for params in ({}, {"includeActions": "false", "limit": "abc", "skip": "-1"}):
        assert list(telecrm.get(f"lead/{made['lead_id']}", **params).json()) == ["fields"]


def test_a_lead_with_its_actions_newest_first__d(telecrm: Telecrm) -> None:
    notes = [{"type": "1001", "fields": {"note": f"n{n}"}} for n in range(3)]
    made = telecrm.create(*notes)

    got = telecrm.get(f"lead/{made['lead_id']}", includeActions="true", limit=2).json()
    rest = telecrm.get(f"lead/{made['lead_id']}", includeActions="true", skip=2).json()

    assert list(got) == ["fields", "actions", "actions_skip", "actions_limit"]
    assert got["actions"] == [notes[2], notes[1]]
    assert (got["actions_skip"], got["actions_limit"]) == (0, 2)
    assert (rest["actions"], rest["actions_skip"], rest["actions_limit"]) == ([notes[0]], 2, 10)


@pytest.mark.parametrize("limit", ["0", "-1", "101", "1.5", "abc"])
def test_limits_of_leads_and_actions_are_1_to_100__s(telecrm: Telecrm, limit: str) -> None:
    lead_id = telecrm.create()["lead_id"]

    for answer in (
        telecrm.get(f"lead/{lead_id}", includeActions="true", limit=limit),
        telecrm.post("lead/search", {}, limit=limit),
        telecrm.post(f"lead/{lead_id}/action/search", {}, limit=limit),
    ):
        refused(answer, 400, "BAD_REQUEST", "Limit should be between 1 and 100")


def test_limits_of_1_and_100_are_taken__s(telecrm: Telecrm) -> None:
    assert telecrm.search({}, limit=1)["limit"] == 1
    assert telecrm.search({}, limit=100)["limit"] == 100


@pytest.mark.parametrize(
    "lead_id", ["62ab16e", "603d2b2f9b1e8a001c8e4f5c", "%27%20OR%201=1", "search2", "🙂", "0" * 5000]
)
def test_an_unknown_lead_is_404_everywhere__s(telecrm: Telecrm, lead_id: str) -> None:
    for answer in (
        telecrm.get(f"lead/{lead_id}"),
        telecrm.update(lead_id, note="n"),
        telecrm.post(f"lead/{lead_id}/action", {"actions": [{"type": "1001"}]}),
        telecrm.get(f"lead/{lead_id}/action/{lead_id}"),
        telecrm.post(f"lead/{lead_id}/action/search", {}),
    ):
        refused(answer, 404, "LEAD_NOT_FOUND")


# 3. POST /lead/{leadId}


def test_update_answers_the_full_current_state__s(telecrm: Telecrm) -> None:
    number = phone()
    made = telecrm.create(phone=number, name="Jane Doe", note="n")

    updated = telecrm.update(made["lead_id"], status="Qualified", rating=4)

    assert updated.status_code == 200
    assert updated.json() == {
        "fields": {"phone": number, "name": "Jane Doe", "note": "n", "status": "Qualified", "rating": 4}
    }


@pytest.mark.parametrize("same", [True, False])
def test_the_identifier_is_immutable__s(telecrm: Telecrm, same: bool) -> None:
    number = phone()
    made = telecrm.create(phone=number)

    answer = telecrm.update(made["lead_id"], phone=number if same else phone(), note="n")

    refused(answer, 403, "INVALID_LEAD", "Cannot modify lead identifier field")
    assert "note" not in telecrm.fields(made["lead_id"])


@pytest.mark.parametrize("name", BAD)
def test_a_bad_value_on_update_is_400_and_nothing_is_written__d(telecrm: Telecrm, name: str) -> None:
    made = telecrm.create()

    error = refused(telecrm.update(made["lead_id"], **{"note": "n", name: BAD[name]}), 400, "VALIDATION_ERROR")

    assert [each["field"] for each in error["details"]] == [f"fields.{name}"]
    assert telecrm.fields(made["lead_id"]).keys() == {"phone", "status"}


# An import is at once a lead.


def test_an_import_is_at_once_visible_as_a_lead__i(telecrm: Telecrm, space: Space, admin: Any) -> None:
    number = phone()
    with create_client(space.hub, admin, rate=1000, workspace_id=space.enterprise_id) as partner:
        _import(
            partner, {"phone": f"+{number}", "tags": ["VIP"], "additionalFields": {"name": "Jane Doe", "rating": 5}}
        )

    [row] = telecrm.search({"fields": {"phone": number}})["data"]

    assert row["fields"] == {"phone": number, "name": "Jane Doe", "status": "Fresh", "tags": ["VIP"], "rating": 5}
    assert telecrm.fields(row["id"]) == row["fields"]
    refused(telecrm.post("lead", {"fields": {"phone": number}}), 409, "LEAD_ALREADY_EXISTS")


def test_what_an_import_wrote_is_shown_as_the_fields_type_has_it__d(telecrm: Telecrm, space: Space, admin: Any) -> None:
    number = phone()
    written = {"deal_size": "41", "visit": "2020-01-01", "budget": 1200, "rating": "4", "interests": "VIP", "note": {}}
    with create_client(space.hub, admin, rate=1000, workspace_id=space.enterprise_id) as partner:
        _import(partner, {"phone": f"+{number}", "tags": [], "additionalFields": written})
    shown = {"deal_size": 41, "visit": 1577836800000, "budget": "1200", "rating": 4, "interests": ["VIP"]}

    [row] = telecrm.search({"fields": {"phone": number}})["data"]

    assert row["fields"] == {"phone": number, "status": "Fresh"} | shown
    for name, value in shown.items():
        assert telecrm.search({"fields": {"phone": number, name: value}})["total_count"] == 1, name


def _import(partner: Partner, contact: dict[str, Any]) -> None:
    accepted = partner.post([contact])
    assert accepted.status_code == 202, accepted.text
    assert partner.finished(accepted.json()["job_id"])["sent_contacts"] == 1
