"""A SQLite file as a Database."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from libs.measures import Measures
from libs.storage.database import Unit
from libs.storage.errors import StorageUnavailableError
from libs.storage.migrations import Migrations
from libs.storage.numbers import FileNumbers
from libs.storage.sqlite.connection import connect_writer
from libs.storage.sqlite.file import FileLock, path_of, revision_of
from libs.storage.sqlite.readers import Readers
from libs.storage.sqlite.writer import Writer
from libs.storage.statement import Row, Statement

T = TypeVar("T")
_LATER = 1.0  # seconds at most that a mark waits for a commit to join


class SqliteDatabase:
    """One writer, a few readers, and the lock that keeps other processes from writing."""

    def __init__(self, lock: FileLock, writer: Writer, readers: Readers, numbers: FileNumbers) -> None:
        self.writer = writer
        self._numbers = numbers
        self._lock = lock
        self._readers = readers
        self._later: list[Unit[object]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def measures(self) -> Measures:
        writing, files = self.writer.numbers.measures, self._numbers.measures
        return Measures(instruments=(*writing.instruments, *files.instruments), surveys=files.surveys)

    async def write(self, unit: Unit[T]) -> T:
        if self._later:
            self._flush()
        return await self.writer.submit(unit)

    def write_later(self, unit: Unit[object]) -> None:
        if self._closed:
            raise StorageUnavailableError("it is closed")
        self._later.append(unit)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_LATER, self._flush)

    async def fetch(self, statement: Statement, row: Row = ()) -> list[tuple[Any, ...]]:
        return await self._readers.fetch(statement, row)

    async def fetch_one(self, statement: Statement, row: Row = ()) -> tuple[Any, ...] | None:
        rows = await self._readers.fetch(statement, row)
        return rows[0] if rows else None

    async def check(self) -> None:
        await self._readers.fetch_text("SELECT 1 FROM alembic_version")

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._flush()
        await self._readers.close()
        await self.writer.close()
        self._lock.release()

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        units, self._later = self._later, []
        for unit in units:
            self.writer.submit_unattended(unit)


async def open_sqlite(url: str, migrations: Migrations, *, long_units: bool = False) -> SqliteDatabase:
    """Raises DatabaseRefusedError, with nothing changed in the file. `long_units`: see Writer."""
    path = path_of(url)
    lock, connection = await asyncio.to_thread(_open, path, migrations)
    return SqliteDatabase(lock, Writer(connection, long_units=long_units), Readers(path), FileNumbers(path))


def make_sqlite(url: str, migrations: Migrations) -> None:
    """Leaves a file that is there as it is. Raises as `open_sqlite` does."""
    path = path_of(url)
    if not path.exists():
        lock, connection = _open(path, migrations)
        connection.close()
        lock.release()


def _open(path: Path, migrations: Migrations) -> tuple[FileLock, sqlite3.Connection]:
    with FileLock(path) as lock:
        pending = migrations.pending(revision_of(path), where=str(path))
        if pending:
            _migrate(path, migrations, pending)
        return lock, connect_writer(path)


def _migrate(path: Path, migrations: Migrations, pending: tuple[str, ...]) -> None:
    from sqlalchemy import StaticPool, create_engine  # noqa: PLC0415  # only when there is something to migrate

    with closing(connect_writer(path)) as raw:
        engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool)
        with engine.connect() as connection:
            # Python's own transaction handling would commit before every CREATE TABLE.
            raw.execute("BEGIN IMMEDIATE")
            migrations.apply(connection, pending)
            raw.execute("COMMIT")
        engine.dispose()
