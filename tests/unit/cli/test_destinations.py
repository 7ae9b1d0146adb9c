"""What operators write of a destination, as the hub takes it."""

from datetime import UTC, datetime, timedelta

import pytest
import typer

from libs.cli.destinations.config import emptied, read_config
from libs.cli.destinations.dead_letters import moment, selection


def test_seconds_become_durations_and_the_rest_goes_as_it_is() -> None:
    body = read_config('{"retry": {"first_delay_s": 0.25, "max_attempts": 3}, "token": "t", "tags": {"any_of": ["a"]}}')

    assert body == {"retry": {"first_delay": "0.25s", "max_attempts": 3}, "token": "t", "tags": {"any_of": ["a"]}}


def test_a_delay_of_nothing_is_not_the_default() -> None:
    assert read_config('{"retry": {"first_delay_s": 0, "max_delay_s": 0}}') == {
        "retry": {"first_delay": "0.001s", "max_delay": "0.001s"}
    }


def test_an_empty_setting_goes_back_to_its_default_when_it_is_changed() -> None:
    assert emptied({"tags": {}, "headers": {}, "rate": 1}) == {"rate": 1, "reset": ["headers", "tags"]}
    assert emptied({"tags": {"any_of": ["a"]}}) == {"tags": {"any_of": ["a"]}}


@pytest.mark.parametrize(
    ("config", "pointers"),
    [
        ("[]", []),
        ("{", []),
        ('{"nme": 1, "retry": {"tries": 1}}', ["/nme", "/retry/tries"]),
        ('{"retry": 5, "tags": [], "rate": true}', ["/retry", "/tags", "/rate"]),
        ('{"fields": {"a": 1}, "success": {"statuses": ["200"]}}', ["/fields", "/success/statuses"]),
        ('{"retry": {"timeout_s": 0, "first_delay_s": -1}}', ["/retry/timeout_s", "/retry/first_delay_s"]),
        ('{"retry": {"max_attempts": 0}}', ["/retry/max_attempts"]),
    ],
)
def test_every_fault_is_named(config: str, pointers: list[str]) -> None:
    with pytest.raises(typer.BadParameter) as caught:
        read_config(config)

    assert [pointer for pointer in pointers if f"{pointer}: " not in caught.value.message] == []


def test_times_are_points_or_spans() -> None:
    ago = datetime.fromisoformat(moment("2h"))

    assert moment("2026-01-31T12:00:00+03:00") == "2026-01-31T09:00:00Z"
    assert timedelta(hours=2) <= datetime.now(UTC) - ago < timedelta(hours=2, minutes=5)
    with pytest.raises(typer.BadParameter):
        moment("yesterday")


def test_only_what_is_given_is_asked_for() -> None:
    assert selection() == {}
    assert selection(states=["failed"], job="j", positions=[0]) == {
        "states": ["failed"],
        "job_id": "j",
        "positions": [0],
    }
