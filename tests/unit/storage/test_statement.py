"""Statements are compiled once, and their mistakes are found at the first use."""

import pytest
from sqlalchemy import bindparam, select

from libs.storage import Statement
from tests.fixtures.things import FIND, FIND_ANY, PUT, RESIZE, THINGS

_C = THINGS.c


def test_a_statement_in_its_own_order_needs_no_arranging() -> None:
    assert PUT.sqlite.arrange is None
    assert PUT.postgresql.arrange is None
    assert FIND.sqlite is FIND.sqlite


def test_values_follow_their_names_wherever_they_occur() -> None:
    statement = Statement(
        select(_C.name).where(_C.size > bindparam("least"), _C.size < 100, _C.name == bindparam("thing")),
        "thing",
        "least",
    )

    assert statement.sqlite.arrange is not None
    assert statement.sqlite.arrange(("x", 5)) == (5, 100, "x")
    assert RESIZE.sqlite.arrange is None


def test_a_list_travels_as_json_on_sqlite_and_as_an_array_on_postgresql() -> None:
    assert FIND_ANY.sqlite.arrange is not None
    assert FIND_ANY.sqlite.arrange((["a", "ы"],)) == ('["a","ы"]',)
    assert FIND_ANY.postgresql.arrange is None
    assert " = 1" not in FIND_ANY.sqlite.text


@pytest.mark.parametrize("parameters", [(), ("thing", "extra"), ("other",)])
def test_parameters_that_do_not_agree_are_refused(parameters: tuple[str, ...]) -> None:
    statement = Statement(select(_C.name).where(_C.name == bindparam("thing")), *parameters)

    with pytest.raises(ValueError, match="parameters not used"):
        _ = statement.sqlite


def test_locks_are_for_postgresql_alone() -> None:
    statement = Statement(select(_C.name).with_for_update(skip_locked=True))

    assert "FOR UPDATE" not in statement.sqlite.text
    assert "FOR UPDATE SKIP LOCKED" in statement.postgresql.text
