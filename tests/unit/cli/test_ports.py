"""The ports that a hub takes."""

import pytest

from libs.cli.stack.errors import CannotStart
from libs.cli.stack.ports import RANGE_VARIABLE, choose_free

NAMES = [f"program-{number}" for number in range(20)]


def test_each_has_its_own_in_the_range_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RANGE_VARIABLE, "18000-18999")

    chosen = choose_free(NAMES)

    assert [*chosen] == NAMES
    assert len(set(chosen.values())) == len(NAMES)
    assert all(18000 <= port <= 18999 for port in chosen.values())


def test_without_a_word_they_lie_below_those_of_outgoing_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(RANGE_VARIABLE, raising=False)

    assert all(20000 <= port <= 32000 for port in choose_free(NAMES).values())


@pytest.mark.parametrize("text", ["20000", "32000-20000", "80-90", "60000-70000", "some-ports"])
def test_a_range_that_is_none_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(RANGE_VARIABLE, text)

    with pytest.raises(CannotStart, match=RANGE_VARIABLE):
        choose_free(NAMES)


def test_those_that_are_given_already_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RANGE_VARIABLE, "18000-18040")

    assert not {18000, 18001, 18002} & set(choose_free(NAMES, besides=(18000, 18001, 18002)).values())


def test_a_range_that_is_too_small_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RANGE_VARIABLE, "18000-18010")

    with pytest.raises(CannotStart, match="too few ports"):
        choose_free(NAMES)
