from datetime import UTC, datetime, timedelta

import pytest

from services.console import shown
from services.console.words import WORDS, Language, Speaker

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
ENGLISH, RUSSIAN = Speaker(Language.ENGLISH, WORDS), Speaker(Language.RUSSIAN, WORDS)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "now"),
        (-1, "1 s ago"),
        (-59, "59 s ago"),
        (-61, "1 min ago"),
        (-7300, "2 h ago"),
        (-200_000, "2 d ago"),
        (90, "in 1 min"),
    ],
)
def test_a_moment_is_told_by_how_far_it_is(seconds: int, told: str) -> None:
    assert shown.hint(ENGLISH, NOW + timedelta(seconds=seconds), now=NOW) == told


def test_it_is_told_in_russian_too() -> None:
    assert shown.hint(RUSSIAN, NOW - timedelta(minutes=3), now=NOW) == "3 мин назад"
    assert shown.brief(RUSSIAN, timedelta(seconds=2.5)) == "2,5 с"


def test_a_moment_is_told_in_utc() -> None:
    assert shown.utc(datetime(2026, 1, 15, 15, tzinfo=UTC)) == "2026-01-15 15:00:00"


@pytest.mark.parametrize(("length", "told"), [(0.34, "340 ms"), (2.51, "2.5 s"), (61.0, "1 min"), (-1.0, "0 ms")])
def test_a_short_span_is_told_to_the_millisecond(length: float, told: str) -> None:
    assert shown.brief(ENGLISH, timedelta(seconds=length)) == told


def test_a_line_goes_from_left_to_right_with_the_most_at_the_top() -> None:
    assert shown.line([0, 5, 10], width=20, height=10, top=10) == "0.0,10.0 10.0,5.0 20.0,0.0"
    assert shown.line([0], width=20, height=10, top=0) == "0.0,10.0"


def test_traces_are_linked_only_where_jaeger_is_known() -> None:
    assert shown.trace_url("", trace_id="a" * 32) == ""
    assert shown.trace_url("http://j:1", trace_id="a" * 32) == f"http://j:1/trace/{'a' * 32}"
    assert shown.trace_url("http://j:1") == ""


def test_a_correlation_id_cannot_say_more_than_itself_in_a_link() -> None:
    url = shown.trace_url("http://j:1", correlation_id='x"&service=y')

    assert url.count("&") == 2
    assert "%22%26service%3Dy" in url


def test_traces_are_found_by_what_a_span_of_a_service_tells() -> None:
    url = shown.traces_url("http://j:1", "delivery", "chunk_id", "job.0")

    assert url == "http://j:1/search?service=delivery&lookback=2d&tags=%7B%22chunk_id%22%3A%22job.0%22%7D"
    assert shown.traces_url("", "delivery", "chunk_id", "job.0") == ""
