"""What the book looks up costs the same however many contacts it has: SQLite goes by an index, and by the right one."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from libs.storage import Statement, open_database
from services.directory.main import MIGRATIONS
from services.directory.store import leads, lettering, searching, statements, walks

LOOK_UPS = {
    "owners": statements.FIND_OWNERS,
    "contacts": statements.TAKE_CONTACTS,
    "contact": statements.GET_CONTACT,
    "change": statements.CHANGE_CONTACT,
    "drop": statements.DROP_IDENTITY,
    "applied": statements.FIND_APPLIED,
    "old": statements.FORGET_APPLIED,
    "count": statements.COUNT,
    "number": leads._BY_NUMBER,
    "identity": leads._OWNER,
    "sizes": searching._SIZES,
    "rarity": searching._TOTALS,
    "last number": searching._LAST_NUMBER,
    "places": searching._PLACES,
    "numbers": searching._BY_NUMBERS,
    "holders": searching._HELD_BY,
    "walk by letters": searching._WALK,
    "containing": searching._CONTAINING,
    "time": searching._FIRST_BEHIND,
    "waiting": searching._WAITING,
    "to be lettered": lettering._WAITING,
    "walk": walks._THEN,
    **{f"listing {key}": statement for key, statement in statements.LISTINGS.items()},
}


@pytest.fixture
async def connection(tmp_path: Path) -> AsyncIterator[sqlite3.Connection]:
    file = tmp_path / "directory.sqlite3"
    await (await open_database(f"sqlite:///{file}", migrations=MIGRATIONS)).close()
    connection = sqlite3.connect(file)
    yield connection
    connection.close()


@pytest.mark.parametrize("look_up", LOOK_UPS)
async def test_every_look_up_goes_by_an_index(connection: sqlite3.Connection, look_up: str) -> None:
    plan = _plan(connection, LOOK_UPS[look_up])

    assert not [step for step in plan if step.startswith("SCAN") and "json_each" not in step]
    assert not [step for step in plan if "TEMP B-TREE" in step]


@pytest.mark.parametrize(("identities", "with_text"), [key for key in statements.LISTINGS if key[0]])
async def test_a_listing_by_an_identity_begins_with_who_holds_it(
    connection: sqlite3.Connection, identities: int, with_text: bool
) -> None:
    plan = _plan(connection, statements.LISTINGS[identities, with_text])

    assert plan[0] == "SEARCH contacts USING PRIMARY KEY (workspace_id=? AND contact_id=?)"


def _plan(connection: sqlite3.Connection, statement: Statement) -> list[str]:
    text = statement.sqlite.text
    return [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", [None] * text.count("?"))]
