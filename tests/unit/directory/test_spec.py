"""A workspace's spec: what it makes, and what is said of one that breaks its rules."""

import itertools
from typing import Any

import pytest

from services.directory.domain.contact import WorkspaceId
from services.directory.domain.fields import STANDARD, FieldType
from services.directory.domain.shape import BadShape
from services.directory.domain.spec import read_spec
from services.directory.domain.workspace import StageType, Workspace
from tests.fixtures.book import START


def _read(**spec: Any) -> Workspace:
    ids = (f"{number:024x}" for number in itertools.count(1))
    return read_spec(spec, workspace_id=WorkspaceId("w"), name="W", new_id=lambda: next(ids), now=START)


def _problems(**spec: Any) -> dict[str, str]:
    with pytest.raises(BadShape) as refused:
        _read(**spec)
    return {problem.pointer: problem.message for problem in refused.value.problems}


def test_an_empty_spec_makes_a_usual_workspace() -> None:
    workspace = _read()

    assert workspace.identifier == "phone"
    assert [field.api_name for field in workspace.fields] == list(STANDARD)
    assert [stage.type for stage in workspace.pipeline.stages] == list(StageType)
    assert workspace.lead_statuses[0].status_id == 1


def test_a_spec_makes_what_it_says() -> None:
    workspace = _read(
        fields=[{"apiName": "city", "type": "dropdown", "options": ["Pune", "Delhi"]}],
        identifier="email",
        country="IN",
        actions=[{"code": "ACTION_1001", "displayName": "Demo", "fields": [{"apiName": "x", "type": "text"}, "y"]}],
        stages={"OPEN": ["Fresh"], "WON": ["Done"], "LOST": ["Gone"]},
        archived_statuses=["Old"],
        seats=3,
        lead_statuses=[{"type": "qualified", "label": "Good", "color": "#112233"}],
    )

    city = workspace.fields.find("city")
    action = workspace.find_action("ACTION_1001")
    assert city is not None
    assert action is not None
    assert [option.label for option in city.options] == ["Pune", "Delhi"]
    assert [field.api_name for field in action.fields] == ["x", "y"]
    assert [status.label for status in workspace.pipeline.active_statuses()] == ["Fresh", "Done", "Gone"]
    assert [status.label for status in workspace.pipeline.stages[0].archived] == ["Old"]
    assert (workspace.country, workspace.seats, workspace.lead_statuses[0].label) == ("IN", 3, "Good")


def test_an_identifier_of_another_name_takes_the_place_of_the_standard_phone() -> None:
    workspace = _read(fields=[{"apiName": "mobile", "type": "phone"}], identifier="mobile")

    assert workspace.fields.find("phone") is None
    assert workspace.own_name("mobile") == "phone"


def test_a_type_may_be_spelled_as_the_sync_api_shows_it_and_a_country_in_small_letters() -> None:
    workspace = _read(
        fields=[{"apiName": "a", "type": "DROPDOWN"}, {"apiName": "b", "type": "ACTIVE_USERS"}], country="in"
    )

    types = [found.type for name in ("a", "b") if (found := workspace.fields.find(name))]
    assert types == [FieldType.DROPDOWN, FieldType.ACTIVE_USERS]
    assert workspace.country == "IN"


def test_lost_reasons_are_those_of_the_spec_and_the_first_is_preset() -> None:
    reasons = _read(lost_reasons=["No budget", "Too late"]).pipeline.lost_reasons

    assert [(reason.label, reason.default) for reason in reasons] == [("No budget", True), ("Too late", False)]


@pytest.mark.parametrize(
    ("spec", "pointer"),
    [
        ({"colour": "red"}, "/colour"),
        ({"fields": {}}, "/fields"),
        ({"fields": [7]}, "/fields/0"),
        ({"fields": [{"type": "text"}]}, "/fields/0/apiName"),
        ({"fields": [{"apiName": "a", "type": "colour"}]}, "/fields/0/type"),
        ({"fields": [{"apiName": "a", "options": ["x", "x"]}]}, "/fields/0/options/1"),
        ({"fields": [{"apiName": "a"}, {"apiName": "a"}]}, "/fields/1/apiName"),
        ({"identifier": "nothing"}, "/identifier"),
        ({"identifier": "tags"}, "/identifier"),
        ({"country": "India"}, "/country"),
        ({"actions": [{"code": "1001"}]}, "/actions/0/code"),
        ({"stages": {"OPEN": []}}, "/stages/OPEN"),
        ({"stages": {"OPEN": ["A"], "WON": ["A"]}}, "/stages"),
        ({"stages": {"NEW": []}}, "/stages/NEW"),
        ({"seats": -1}, "/seats"),
        ({"seats": True}, "/seats"),
        ({"lead_statuses": [{"type": "odd", "label": "x"}]}, "/lead_statuses/0/type"),
        ({"lead_statuses": [{"label": " "}]}, "/lead_statuses/0/label"),
    ],
)
def test_a_bad_spec_is_told_where_it_is_bad(spec: dict[str, Any], pointer: str) -> None:
    assert pointer in _problems(**spec)


def test_all_problems_are_told_at_once() -> None:
    assert set(_problems(seats="many", country=7)) == {"/seats", "/country"}
