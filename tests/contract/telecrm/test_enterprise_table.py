"""A workspace and its people in the telecrm Sync API, row by row; marked as in test_leads_table."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from libs.cli.stack.hub import Hub
from tests.contract.telecrm.caller import SPEC, Telecrm, refused, unique
from tests.fixtures.spaces import Space, create_space

MEMBER_KEYS = [
    "name", "email", "status", "phone_number", "manager_name", "manager_email", "permission_template_name", "license",
]  # fmt: skip


def member(**over: Any) -> dict[str, Any]:
    return {
        "name": "John Doe",
        "email": f"{unique()}@example.com",
        "phone_number": "919876543210",
        "role": "CALLER",
    } | over


@pytest.fixture
def team(hub: Hub, admin: httpx.Client) -> Iterator[Telecrm]:
    """A caller of a workspace with three seats that nobody has."""
    with Telecrm.of(create_space(hub, admin, **SPEC)) as caller:
        yield caller


# 9. GET /team-members


def test_members_are_listed_by_name__s(team: Telecrm) -> None:
    for name in ("Cecil", "alice", "Bob"):
        assert team.post("team-members", member(name=name)).status_code == 201

    page = team.get("team-members").json()
    second = team.get("team-members", skip=1, limit=1).json()

    assert list(page) == ["data", "total_count", "skip", "limit"]
    assert [each["name"] for each in page["data"]] == ["alice", "Bob", "Cecil"]
    assert all(list(each) == MEMBER_KEYS for each in page["data"])
    assert (page["total_count"], page["skip"], page["limit"]) == (3, 0, 10)
    assert ([each["name"] for each in second["data"]], second["total_count"], second["skip"]) == (["Bob"], 3, 1)


@pytest.mark.parametrize("limit", ["0", "-1", "11", "101", "1.5", "abc"])
def test_limits_of_members_are_1_to_10__s(telecrm: Telecrm, limit: str) -> None:
    refused(telecrm.get("team-members", limit=limit), 400, "BAD_REQUEST", "Limit should be between 1 and 10")


def test_deleted_members_are_shown_on_request__d(team: Telecrm, hub: Hub, admin: httpx.Client) -> None:
    email = f"{unique()}@example.com"
    team.post("team-members", member(email=email))
    Space(team.enterprise_id, hub, admin).remove_user(email)

    assert team.get("team-members").json()["data"] == []
    assert [each["status"] for each in team.get("team-members", includeDeleted="true").json()["data"]] == ["Deleted"]
    refused(team.get(f"team-members/{email}"), 404, "TEAM_MEMBER_NOT_FOUND", "Team member not found")
    assert team.get(f"team-members/{email}", includeDeleted="true").json()["status"] == "Deleted"


# 10. POST /team-members


@pytest.mark.parametrize(
    ("password", "status", "listed"), [(None, "INVITED", "Invited"), ("secret", "Active", "Active")]
)
def test_a_member_is_added__s(team: Telecrm, password: str | None, status: str, listed: str) -> None:
    given = member(role="MANAGER") | ({"password": password} if password else {})

    added = team.post("team-members", given)

    assert added.status_code == 201
    assert added.json() == {key: given[key] for key in ("name", "email", "phone_number", "role")} | {"status": status}
    assert team.get(f"team-members/{given['email'].upper()}").json()["status"] == listed


def test_seats_are_bought__s(team: Telecrm) -> None:
    added = [team.post("team-members", member()) for _ in range(4)]

    assert [each.status_code for each in added] == [201, 201, 201, 402]
    refused(added[3], 402, "BUY_LICENSE")
    email = added[0].json()["email"]
    team.post("teammember/state_change", {"email": email, "state": "Inactive"})
    refused(team.post("team-members", member()), 402, "BUY_LICENSE")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("role", "BOSS", "Invalid role. Allowed roles: ADMIN, MANAGER, CALLER, MARKETING_USER"),
        ("role", None, None),
        ("email", "john", "Invalid email format"),
        ("email", 5, None),
        ("name", "", None),
        ("name", ["x"], None),
        *(("phone_number", each, "Invalid phone_number format")
          for each in ("+919876543210", "+91 98765 43210", "91-9876-5432-10", "", "abc", 919876543210)),
        ("password", 5, None),
    ],
)  # fmt: skip
def test_a_bad_member_is_told_field_by_field__s(telecrm: Telecrm, name: str, value: Any, message: str | None) -> None:
    error = refused(telecrm.post("team-members", member(**{name: value})), 400, "BAD_REQUEST", "Validation failed")

    [detail] = error["details"]
    assert list(detail) == ["field", "message"]
    assert detail["field"] == name
    assert message in {None, detail["message"]}


def test_an_email_is_used_once_whatever_its_case__i(team: Telecrm) -> None:
    given = member()
    team.post("team-members", given)

    answer = team.post("team-members", member(email=given["email"].upper()))

    assert [each["field"] for each in refused(answer, 400, "BAD_REQUEST")["details"]] == ["email"]


# 11. GET /team-members/{email}


def test_a_member_has_a_license__s(team: Telecrm) -> None:
    given = member()
    team.post("team-members", given)

    got = team.get(f"team-members/{given['email']}").json()

    assert list(got) == MEMBER_KEYS
    assert list(got["license"]) == ["status", "type", "start_date", "end_date"]
    assert (got["name"], got["email"], got["phone_number"]) == ("John Doe", given["email"], "919876543210")


@pytest.mark.parametrize("name", ["jane+sales", "jane.o'hara", "jane_doe-1", "Жанна"])
def test_an_email_in_a_path_is_read_as_it_is_written__i(team: Telecrm, name: str) -> None:
    email = f"{name}.{unique()}@example.com"
    assert team.post("team-members", member(email=email)).status_code == 201

    for written in (email, email.replace("@", "%40"), email.upper()):
        assert team.get(f"team-members/{written}").json()["email"] == email


@pytest.mark.parametrize("email", ["john", "a b", "@", "john@", "%40"])
def test_what_is_no_email_is_400__s(telecrm: Telecrm, email: str) -> None:
    refused(telecrm.get(f"team-members/{email}"), 400, "BAD_REQUEST", "Invalid email format")


# 12. POST /teammember/state_change


@pytest.mark.parametrize("state", ["Active", "Inactive", "On Leave", "Working"])
def test_a_state_changes__s(team: Telecrm, state: str) -> None:
    given = member()
    team.post("team-members", given)

    changed = team.post("teammember/state_change", {"email": given["email"].upper(), "state": state})

    assert (changed.status_code, changed.json()) == (200, {"email": given["email"], "status": state})
    assert team.get(f"team-members/{given['email']}").json()["status"] == state


@pytest.mark.parametrize("state", ["Invited", "Deleted", "working", "", None, 5])
def test_another_state_is_400__s(telecrm: Telecrm, state: Any) -> None:
    refused(telecrm.post("teammember/state_change", {"email": "a@example.com", "state": state}), 400, "BAD_REQUEST")


def test_the_state_of_nobody_is_404__s(telecrm: Telecrm) -> None:
    body = {"email": f"{unique()}@example.com", "state": "Active"}

    refused(telecrm.post("teammember/state_change", body), 404, "TEAM_MEMBER_NOT_FOUND")
    refused(telecrm.post("teammember/state_change", body | {"email": "nobody"}), 400, "BAD_REQUEST")


# 13 to 18. The workspace


def test_metadata_names_the_identifier_by_its_id__s(telecrm: Telecrm) -> None:
    told = telecrm.get("metadata").json()

    assert list(told) == [
        "name", "id", "creationTimeStamp", "teamSize", "industry", "website", "leadIdentifierFieldId", "integrations",
    ]  # fmt: skip
    assert (told["name"], told["id"]) == ("Acme Corporation", telecrm.enterprise_id)
    assert isinstance(told["creationTimeStamp"], int)
    fields = telecrm.get("custom-fields", detail="true").json()["customFields"]
    assert [each["apiName"] for each in fields if each["id"] == told["leadIdentifierFieldId"]] == ["phone"]


def test_custom_fields_in_short_and_in_full__s(telecrm: Telecrm) -> None:
    short = {each["apiName"]: each for each in telecrm.get("custom-fields").json()["customFields"]}
    full = {each["apiName"]: each for each in telecrm.get("custom-fields", detail="true").json()["customFields"]}

    assert {"phone", "name", "email", *(each["apiName"] for each in SPEC["fields"])} <= short.keys()
    assert short.keys() == full.keys()
    phone = {"type": "PHONE", "apiName": "phone", "lockAfterCreate": False, "isLeadid": True, "options": []}
    assert short["phone"] == phone
    assert short["contact_source"]["options"] == ["Website", "Referral"]
    assert [each for each, field in short.items() if field["isLeadid"]] == ["phone"]
    assert full["contact_source"].keys() == short["contact_source"].keys() | {"id", "description"}
    assert [set(option) for option in full["contact_source"]["options"]] == [{"id", "label"}] * 2
    for name, field in full.items():
        assert telecrm.get(f"custom-fields/{name}").json() == field


@pytest.mark.parametrize("name", ["Contact_Source", "CONTACT_SOURCE", "nothing", "%27"])
def test_an_unknown_field_is_404__s(telecrm: Telecrm, name: str) -> None:
    shown = "'" if name == "%27" else name
    message = f"Could not find custom field with apiName {shown}"

    refused(telecrm.get(f"custom-fields/{name}"), 404, "NOT_FOUND", message)


def test_custom_actions_in_short_and_in_full__s(telecrm: Telecrm) -> None:
    short = telecrm.get("custom-actions").json()["customActions"]
    full = telecrm.get("custom-actions", detail="true").json()["customActions"]
    one = telecrm.get("custom-actions/ACTION_1001").json()

    assert short[0] == {"code": "ACTION_1001", "displayName": "Site Visit", "score": 10, "source": "USER"}
    assert set(full[0]) == set(short[0]) | {
        "id", "description", "fieldSchema", "displaySchema", "allowPredatedActivity", "quickAdd", "definitionType",
        "createdOn", "createdBy", "modifiedOn", "modifiedBy",
    }  # fmt: skip
    assert one.keys() == full[0].keys() | {"icon"}
    assert one["fieldSchema"] == {
        "note": {"type": "TEXT"},
        "email": {"type": "EMAIL"},
        "outcome": {"type": "DROPDOWN", "options": ["Interested", "Not Interested"]},
    }


@pytest.mark.parametrize("code", ["1001", "action_1001", "ACTION_9", "ACTION_"])
def test_an_unknown_action_definition_is_404__s(telecrm: Telecrm, code: str) -> None:
    answer = telecrm.get(f"custom-actions/{code}")

    refused(answer, 404, "NOT_FOUND", f"Custom action with code {code} was not found.")


def test_the_pipeline_has_stages_and_reasons__s(telecrm: Telecrm) -> None:
    told = telecrm.get("lead-stage-pipeline").json()

    assert list(told) == [
        "leadStages", "activeLeadLostReasons", "archivedLeadLostReasons", "creationTimestamp", "modificationTimestamp",
        "lastModifiedBy", "version",
    ]  # fmt: skip
    assert [stage["stageType"] for stage in told["leadStages"]] == ["OPEN", "WON", "LOST"]
    assert all(
        list(stage) == ["stageid", "stageType", "visibility", "activeStatuses", "archivedStatuses"]
        for stage in told["leadStages"]
    )
    first = told["leadStages"][0]
    assert [status["label"] for status in first["activeStatuses"]] == ["Fresh", "Contacted", "Qualified"]
    assert [status["label"] for status in first["archivedStatuses"]] == ["Old Status"]
    assert all(set(status) == {"statusid", "label", "color"} for status in first["activeStatuses"])
    assert all(set(reason) == {"reasonid", "reasonLabel", "isDefault"} for reason in told["activeLeadLostReasons"])
    assert told["version"] == 1


@pytest.mark.parametrize("path", ["custom-fields", "custom-actions"])
def test_detail_is_true_or_false__i(telecrm: Telecrm, path: str) -> None:
    assert telecrm.get(path, detail="false").status_code == 200
    refused(telecrm.get(path, detail="maybe"), 400, "BAD_REQUEST")
