"""The one writer of a SQLite file: whatever queued while its last commit ran is committed together.

A commit through an async session costs some 900 µs, one shared with others 10 to 30, since the fsync, the two crossings
between threads and the wake-ups are paid once per group.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Coroutine, Sequence
from contextvars import Context
from queue import SimpleQueue
from threading import Thread
from time import perf_counter
from typing import Any, TypeVar

import structlog

from libs.storage.database import Unit
from libs.storage.errors import CommitUnknownError, StorageUnavailableError, UnitSuspendedError
from libs.storage.numbers import WritingNumbers
from libs.storage.sqlite.connection import error_name, translated
from libs.storage.statement import Row, Statement

T = TypeVar("T")
# Bounds how long the first of a group waits for the last.
_LARGEST_GROUP = 512

_log = structlog.get_logger()


class SqliteTransaction:
    """Its methods never suspend, so that the writer can step a unit by hand."""

    __slots__ = ("_cursor",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._cursor = connection.cursor()

    async def execute(self, statement: Statement, row: Row = ()) -> int:
        prepared, cursor = statement.sqlite, self._cursor
        cursor.execute(prepared.text, prepared.arrange(row) if prepared.arrange else row)
        if cursor.description is not None:
            cursor.fetchall()  # an unfinished RETURNING would stand in the way of the commit
        return cursor.rowcount

    async def execute_many(self, statement: Statement, rows: Sequence[Row]) -> None:
        prepared = statement.sqlite
        self._cursor.executemany(prepared.text, map(prepared.arrange, rows) if prepared.arrange else rows)

    async def fetch(self, statement: Statement, row: Row = ()) -> list[tuple[Any, ...]]:
        prepared = statement.sqlite
        return self._cursor.execute(prepared.text, prepared.arrange(row) if prepared.arrange else row).fetchall()

    async def fetch_one(self, statement: Statement, row: Row = ()) -> tuple[Any, ...] | None:
        rows = await self.fetch(statement, row)
        return rows[0] if rows else None

    def close(self) -> None:
        """Lets go of the last statement, with which the connection would stay open, and its log with it."""
        self._cursor.close()


class _Work:
    """A unit and who waits for it: nobody, when it was given to write_later."""

    __slots__ = ("error", "future", "result", "unit")

    def __init__(self, unit: Unit[Any], future: asyncio.Future[Any] | None) -> None:
        self.unit = unit
        self.future = future
        self.result: Any = None
        self.error: BaseException | None = None

    def resolve(self) -> None:
        """On the loop; a caller that was cancelled meanwhile is left alone."""
        if self.future is None or self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class Writer:
    """Owns the writing connection and a thread that waits for the disk.

    Units are run on the loop, and the thread only commits: SQLite lets go of the interpreter in every statement, and a
    thread that runs units beside a busy loop waits for it as often (a fifth of the CPU of an import of one contact).
    `long_units` take so many milliseconds that the loop must stay free meanwhile: the thread runs them.

    Everything but the thread's own work is called on the loop. `commits` and `units` count what was committed, for
    measuring how well it groups.
    """

    def __init__(self, connection: sqlite3.Connection, *, long_units: bool = False) -> None:
        self.commits = 0
        self.units = 0
        self.numbers = WritingNumbers("sqlite")
        self._connection = connection
        self._long_units = long_units
        self._transaction = SqliteTransaction(connection)
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Work] = deque()
        self._group_is_under_way = False
        self._began = 0.0
        self._groups: SimpleQueue[list[_Work] | None] = SimpleQueue()
        self._stopped = self._loop.create_future()
        self._closing = False
        self._thread = Thread(target=self._run, name="storage-writer", daemon=True)
        self._thread.start()

    def submit(self, unit: Unit[T]) -> asyncio.Future[T]:
        """Resolved when the unit is on disk or undone. Cancelling it does not stop the unit."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._put(_Work(unit, future))
        return future

    def submit_unattended(self, unit: Unit[object]) -> None:
        """Nobody waits; a failure is logged."""
        self._put(_Work(unit, None))

    async def close(self) -> None:
        """After everything submitted is done."""
        if not self._closing:
            self._closing = True
            if not self._group_is_under_way:
                self._groups.put(None)
        await asyncio.shield(self._stopped)

    def _put(self, work: _Work) -> None:
        if self._closing:
            raise StorageUnavailableError("it is closed")
        self._waiting.append(work)
        if not self._group_is_under_way:
            self._group_is_under_way = True
            self._begin_soon()

    def _begin_soon(self) -> None:
        """In the next tick, so that what is written in this one is one group; and in no request's context."""
        self._loop.call_soon(self._begin, context=Context())

    def _begin(self) -> None:
        group = [self._waiting.popleft() for _ in range(min(_LARGEST_GROUP, len(self._waiting)))]
        if not self._long_units:
            try:
                self._run_units(group)
            except Exception as error:  # noqa: BLE001  # the writer must outlive whatever befalls a group
                self._fail(group, error)
                self._end(group)
                return
        self._groups.put(group)

    def _end(self, group: list[_Work]) -> None:
        self._tell(group)
        for work in group:
            work.resolve()
        if self._waiting:
            self._begin_soon()  # behind those who were just resolved, so that they can write along
            return
        self._group_is_under_way = False
        if self._closing:
            self._groups.put(None)

    def _run(self) -> None:
        while group := self._groups.get():
            self._commit(group)
            self._loop.call_soon_threadsafe(self._end, group)
        self._transaction.close()
        self._connection.close()
        self._loop.call_soon_threadsafe(self._stopped.set_result, None)

    def _commit(self, group: list[_Work]) -> None:
        try:
            if self._long_units:
                self._run_units(group)
            self._seal()
            self.commits += 1
            self.units += len(group)
            self.numbers.committed(len(group), began=self._began)
        except Exception as error:  # noqa: BLE001  # the thread must outlive whatever befalls a group
            self._fail(group, error)

    def _run_units(self, group: list[_Work]) -> None:
        self._began = perf_counter()
        self._connection.execute("BEGIN IMMEDIATE")
        self._attempt_all(group)

    def _attempt_all(self, group: list[_Work]) -> None:
        """Each under a savepoint of its own, so that one that fails leaves its neighbours alone."""
        for work in group:
            self._connection.execute("SAVEPOINT unit")
            try:
                work.result = _step(work.unit(self._transaction))
            except BaseException as error:  # noqa: BLE001  # whatever it is belongs to the caller, never to this thread
                work.error = translated(error)
                self._connection.execute("ROLLBACK TO unit")
            self._connection.execute("RELEASE unit")

    def _seal(self) -> None:
        try:
            self._connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if error_name(error).startswith("SQLITE_IOERR"):
                # The log may hold the commit although its fsync failed: only the next start can tell.
                raise CommitUnknownError(error_name(error)) from error
            raise

    def _fail(self, group: list[_Work], error: Exception) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        known = isinstance(error, CommitUnknownError | sqlite3.IntegrityError)
        reason = translated(error) if known else StorageUnavailableError(error_name(error) or type(error).__name__)
        for work in group:
            work.error = work.error or reason

    def _tell(self, group: list[_Work]) -> None:
        for work in group:
            if work.future is None and work.error is not None:
                _log.warning("unattended_write_failed", error=type(work.error).__name__)


def _step(unit: Coroutine[Any, Any, T]) -> T:
    try:
        unit.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    unit.close()
    raise UnitSuspendedError(getattr(unit, "__qualname__", "a unit"))
