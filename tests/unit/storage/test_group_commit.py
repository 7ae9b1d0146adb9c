"""How the SQLite writer groups, and what it does when a group fails: with units in its thread, and on the loop."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from libs.storage import CommitUnknownError, StorageUnavailableError, Transaction, UnitSuspendedError
from libs.storage.migrations import Migrations
from libs.storage.sqlite.database import SqliteDatabase, open_sqlite
from libs.storage.sqlite.writer import Writer
from tests.fixtures.things import COUNT, MIGRATIONS, PUT, putting


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    """Its thread runs the units."""
    database = await open_sqlite(f"sqlite:///{tmp_path}/things.sqlite3", Migrations(MIGRATIONS), long_units=True)
    yield database
    await database.close()


class Gate:
    """A long unit that holds the writer until it is opened, so that everything else queues behind it."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._entered = threading.Event()
        self._opened = threading.Event()
        self._task = database.writer.submit(self._unit)

    async def entered(self) -> "Gate":
        """The writer is held from now on."""
        assert await asyncio.to_thread(self._entered.wait, 30)
        return self

    async def _unit(self, transaction: Transaction) -> None:
        self._entered.set()
        assert self._opened.wait(30)

    async def open(self) -> None:
        self._opened.set()
        await self._task


async def test_what_queues_during_a_commit_shares_the_next_one(database: SqliteDatabase) -> None:
    gate = await Gate(database).entered()
    writes = [asyncio.ensure_future(database.write(putting(f"thing {index}"))) for index in range(100)]
    await asyncio.sleep(0)

    await gate.open()
    await asyncio.gather(*writes)

    assert database.writer.commits == 2
    assert database.writer.units == 101


async def test_marks_join_the_commit_of_the_next_write(database: SqliteDatabase) -> None:
    gate = await Gate(database).entered()
    for index in range(10):
        database.write_later(putting(f"mark {index}"))
    write = asyncio.ensure_future(database.write(putting("thing")))
    await asyncio.sleep(0)

    await gate.open()
    await write

    assert database.writer.commits == 2
    assert await database.fetch_one(COUNT) == (11,)


async def test_a_group_is_bounded(database: SqliteDatabase) -> None:
    gate = await Gate(database).entered()
    writes = [asyncio.ensure_future(database.write(putting(f"thing {index}"))) for index in range(1200)]
    await asyncio.sleep(0)

    await gate.open()
    await asyncio.gather(*writes)

    assert database.writer.commits == 4


async def test_a_cancelled_caller_does_not_stop_its_unit(database: SqliteDatabase) -> None:
    gate = await Gate(database).entered()
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


class _Disk(sqlite3.Connection):
    """Commits when it is let, and fails as a full or a failing disk would."""

    failure = ""
    free: threading.Event

    def execute(self, sql: str, parameters: object = (), /) -> sqlite3.Cursor:
        if sql == "COMMIT":
            assert self.free.wait(30)
        if sql == "COMMIT" and self.failure:
            error = sqlite3.OperationalError("simulated")
            error.sqlite_errorname = self.failure
            self.failure = ""
            raise error
        return super().execute(sql, parameters)  # type: ignore[arg-type]  # passed through


@pytest.fixture
def disk(tmp_path: Path) -> _Disk:
    connection = sqlite3.connect(
        tmp_path / "things.sqlite3", isolation_level=None, check_same_thread=False, factory=_Disk
    )
    connection.free = threading.Event()
    connection.free.set()
    connection.execute("CREATE TABLE things (name TEXT PRIMARY KEY, size INTEGER, body BLOB)")
    return connection


@pytest.mark.parametrize("long_units", [False, True])
@pytest.mark.parametrize(
    ("failure", "expected"),
    [("SQLITE_FULL", StorageUnavailableError), ("SQLITE_IOERR_FSYNC", CommitUnknownError)],
)
async def test_a_failed_commit_fails_its_group_and_the_writer_goes_on(
    disk: _Disk, failure: str, expected: type[Exception], *, long_units: bool
) -> None:
    writer = Writer(disk, long_units=long_units)
    disk.failure = failure

    outcomes = await asyncio.gather(writer.submit(putting("lost")), return_exceptions=True)
    kept = await writer.submit(putting("kept"))
    await writer.close()

    assert [type(outcome) for outcome in outcomes] == [expected]
    assert kept == "kept"


async def test_brief_units_of_one_tick_share_a_commit_and_the_loop_goes_on_while_the_disk_is_busy(disk: _Disk) -> None:
    writer = Writer(disk)
    disk.free.clear()

    first = [writer.submit(putting(f"first {index}")) for index in range(3)]
    await asyncio.sleep(0)
    behind = [writer.submit(putting(f"behind {index}")) for index in range(600)]
    await asyncio.sleep(0)
    waited = not any(each.done() for each in first)
    disk.free.set()
    await asyncio.gather(*first, *behind)
    await writer.close()

    assert waited
    assert (writer.commits, writer.units) == (3, 603)


async def test_a_brief_unit_that_raises_leaves_its_neighbours_alone(disk: _Disk) -> None:
    async def failing(transaction: Transaction) -> None:
        await transaction.execute(PUT, ("half", 1, None))
        raise LookupError

    writer = Writer(disk)

    outcomes = await asyncio.gather(
        writer.submit(putting("before")),
        writer.submit(failing),
        writer.submit(putting("behind")),
        return_exceptions=True,
    )
    names = [name for (name,) in disk.execute("SELECT name FROM things ORDER BY name")]
    await writer.close()

    assert [outcomes[0], type(outcomes[1]), outcomes[2]] == ["before", LookupError, "behind"]
    assert names == ["before", "behind"]


async def test_brief_units_are_refused_while_another_process_writes_and_the_next_ones_are_not(
    disk: _Disk, tmp_path: Path
) -> None:
    writer = Writer(disk)
    disk.execute("PRAGMA busy_timeout=0")
    with closing(sqlite3.connect(tmp_path / "things.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(StorageUnavailableError):
            await writer.submit(putting("refused"))

    assert await writer.submit(putting("taken")) == "taken"
    await writer.close()


async def test_a_writer_that_is_closed_commits_what_it_was_given(disk: _Disk) -> None:
    writer = Writer(disk)

    write = writer.submit(putting("thing"))
    await writer.close()

    assert await write == "thing"
    with pytest.raises(StorageUnavailableError):
        writer.submit(putting("late"))


async def test_a_disk_that_fills_up_inside_a_unit_fails_the_whole_group_cleanly(database: SqliteDatabase) -> None:
    gate = await Gate(database).entered()

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
