"""What a database of the first release holds is all there after the migrations that came since."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import Text, bindparam, text

from libs.storage import Database, Statement, Transaction
from services.delivery.domain.delivery import RowState
from tests.conformance.delivery.operating import ALL, sql_store
from tests.conformance.delivery.test_store import MIGRATIONS
from tests.fixtures.databases import Databases
from tests.unit.delivery.world import HOOK, ref

_DELIVERY = Statement(
    text(
        "INSERT INTO deliveries (chunk_id, destination_id, round, correlation_id, traceparent, positions, state,"
        " created_at, states, failures, attempt_count, due_at, attempted_at, status, message)"
        " VALUES (:chunk, :destination, :number, '', '', :positions, :state, 1, :states, :failures, 1, NULL, 2, 422,"
        " 'It answered 422.')"
    ).bindparams(*(bindparam(name, type_=Text) for name in ("chunk", "destination", "positions", "state", "failures"))),
    "chunk",
    "destination",
    "number",
    "positions",
    "state",
    "states",
    "failures",
)


async def first_release(databases: Databases, url: str, tmp_path: Path) -> Database:
    folder = tmp_path / "first" / "versions"
    folder.mkdir(parents=True)
    shutil.copy(MIGRATIONS / "versions" / "0001_destinations_deliveries_attempts.py", folder)
    return await databases.reopen(url, folder.parent)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_rows_that_failed_before_are_dead_letters(databases: Databases, kind: str, tmp_path: Path) -> None:
    url = databases.url(kind)
    before = await first_release(databases, url, tmp_path)
    rows = [
        ("job.0", HOOK, 0, "", "done", b"\x02\x06\x08", '[[1, "Нет номера."]]'),
        ("job.1", HOOK, 0, "", "failed", b"\x06\x06", ""),
        ("job.1", HOOK, 1, "[0]", "done", b"\x02\x00", ""),
        ("job.2", HOOK, 0, "", "done", b"\x02\x02", ""),
    ]

    async def unit(transaction: Transaction) -> None:
        for row in rows:
            await transaction.execute(_DELIVERY, row)

    await before.write(unit)
    await before.close()

    store = sql_store(await databases.reopen(url, MIGRATIONS))

    assert sorted(await store.all()) == [
        ("job.0", 1, 0, "FAILED"),
        ("job.0", 2, 0, "UNKNOWN"),
        ("job.1", 1, 0, "FAILED"),
    ]
    letter = await store.letters.find(HOOK, ref("job.0").key.chunk_id, 1)
    assert letter is not None
    assert (letter.state, letter.reason, letter.job_id, letter.status) == (RowState.FAILED, "Нет номера.", "job", 422)
    assert await store.letters.count(ALL.destination_id) == 3
