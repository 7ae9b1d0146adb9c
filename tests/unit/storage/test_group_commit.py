"""How the SQLite writer groups, and what it does when a group fails."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from libs.storage import CommitUnknownError, StorageUnavailableError, Transaction, UnitSuspendedError
from libs.storage.migrations import Migrations
from libs.storage.sqlite.database import SqliteDatabase, open_sqlite
from libs.storage.sqlite.writer import Writer
from tests.fixtures.things import COUNT, MIGRATIONS, PUT, putting


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    database = await open_sqlite(f"sqlite:///{tmp_path}/things.sqlite3", Migrations(MIGRATIONS))
    yield database
    await database.close()


class Gate:
    """A unit that holds the writer until it is opened, so that everything else queues behind it."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._entered = threading.Event()
        self._opened = threading.Event()
        self._task = database.writer.submit(self._unit)
        assert self._entered.wait(30)

    async def _unit(self, transaction: Transaction) -> None:
        self._entered.set()
        assert self._opened.wait(30)

    async def open(self) -> None:
        self._opened.set()
        await self._task


async def test_what_queues_during_a_commit_shares_the_next_one(database: SqliteDatabase) -> None:
    gate = Gate(database)
    writes = [asyncio.ensure_future(database.write(putting(f"thing {index}"))) for index in range(100)]
    await asyncio.sleep(0)

    await gate.open()
    await asyncio.gather(*writes)

    assert database.writer.commits == 2
    assert database.writer.units == 101


async def test_marks_join_the_commit_of_the_next_write(database: SqliteDatabase) -> None:
    gate = Gate(database)
    for index in range(10):
        database.write_later(putting(f"mark {index}"))
    write = asyncio.ensure_future(database.write(putting("thing")))
    await asyncio.sleep(0)

    await gate.open()
    await write

    assert database.writer.commits == 2
    assert await database.fetch_one(COUNT) == (11,)


async def test_a_group_is_bounded(database: SqliteDatabase) -> None:
    gate = Gate(database)
    writes = [asyncio.ensure_future(database.write(putting(f"thing {index}"))) for index in range(1200)]
    await asyncio.sleep(0)

    await gate.open()
    await asyncio.gather(*writes)

    assert database.writer.commits == 4


async def test_a_cancelled_caller_does_not_stop_its_unit(database: SqliteDatabase) -> None:
    gate = Gate(database)
    write = asyncio.ensure_future(database.write(putting("thing")))
    await asyncio.sleep(0)

    write.cancel()
    await gate.open()
    await database.write(putting("next"))

    assert write.cancelled()
    assert await database.fetch_one(COUNT) == (2,)


async def test_a_unit_that_awaits_something_else_is_undone_with_a_sentence(database: SqliteDatabase) -> None:
    async def unit(transaction: Transaction) -> None:
        await transaction.execute(PUT, ("half", 1, None))
        await asyncio.sleep(0)

    with pytest.raises(UnitSuspendedError, match="awaited something other"):
        await database.write(unit)

    assert await database.fetch_one(COUNT) == (0,)


class _BrokenConnection(sqlite3.Connection):
    """Fails to commit as a full or a failing disk would."""

    failure = ""

    def execute(self, sql: str, parameters: object = (), /) -> sqlite3.Cursor:
        if sql == "COMMIT" and self.failure:
            error = sqlite3.OperationalError("simulated")
            error.sqlite_errorname = self.failure
            self.failure = ""
            raise error
        return super().execute(sql, parameters)  # type: ignore[arg-type]  # passed through


@pytest.mark.parametrize(
    ("failure", "expected"),
    [("SQLITE_FULL", StorageUnavailableError), ("SQLITE_IOERR_FSYNC", CommitUnknownError)],
)
async def test_a_failed_commit_fails_its_group_and_the_writer_goes_on(
    tmp_path: Path, failure: str, expected: type[Exception]
) -> None:
    connection = sqlite3.connect(
        tmp_path / "broken.sqlite3", isolation_level=None, check_same_thread=False, factory=_BrokenConnection
    )
    connection.execute("CREATE TABLE things (name TEXT PRIMARY KEY, size INTEGER, body BLOB)")
    writer = Writer(connection)
    connection.failure = failure

    outcomes = await asyncio.gather(writer.submit(putting("lost")), return_exceptions=True)
    kept = await writer.submit(putting("kept"))
    await writer.close()

    assert [type(outcome) for outcome in outcomes] == [expected]
    assert kept == "kept"


async def test_a_disk_that_fills_up_inside_a_unit_fails_the_whole_group_cleanly(database: SqliteDatabase) -> None:
    gate = Gate(database)

    async def rolled_back(transaction: Transaction) -> None:
        database.writer._connection.execute("ROLLBACK")  # as SQLite does by itself when the disk is full
        raise sqlite3.OperationalError

    writes = [database.write(putting("before")), database.write(rolled_back), database.write(putting("behind"))]
    tasks = [asyncio.ensure_future(write) for write in writes]
    await asyncio.sleep(0)
    await gate.open()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)

    assert isinstance(outcomes[0], StorageUnavailableError)
    assert isinstance(outcomes[2], StorageUnavailableError)
    assert await database.fetch_one(COUNT) == (0,)
    assert await database.write(putting("afterwards")) == "afterwards"
