"""Reads of committed data, beside the writer and beside each other."""

import sqlite3
from pathlib import Path
from typing import Any, cast

import aiosqlite

from libs.storage.errors import StorageUnavailableError
from libs.storage.sqlite.connection import connect_reader, translated
from libs.storage.statement import Row, Statement


class _Reader:
    __slots__ = ("connection", "in_flight")

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self.connection = connection
        self.in_flight = 0


class Readers:
    """Up to `limit` reading connections, each with a thread, opened when all there are are busy."""

    def __init__(self, path: Path, *, limit: int = 3) -> None:
        self._path = path
        self._limit = limit
        self._readers: list[_Reader] = []
        self._opening = 0
        self._closed = False

    async def fetch(self, statement: Statement, row: Row = ()) -> list[tuple[Any, ...]]:
        """Queues behind the reader with the least to do."""
        prepared = statement.sqlite
        return await self.fetch_text(prepared.text, prepared.arrange(row) if prepared.arrange else row)

    async def fetch_text(self, text: str, row: Row = ()) -> list[tuple[Any, ...]]:
        """SQL as SQLite reads it."""
        reader = await self._free()
        reader.in_flight += 1
        try:
            rows = await reader.connection.execute_fetchall(text, row)
        except sqlite3.Error as error:
            raise translated(error) from None
        finally:
            reader.in_flight -= 1
        return cast("list[tuple[Any, ...]]", rows)

    async def close(self) -> None:
        """After what was asked is answered."""
        self._closed = True
        for reader in self._readers:
            await reader.connection.close()

    async def _free(self) -> _Reader:
        if self._closed:
            raise StorageUnavailableError("it is closed")
        least = min(self._readers, key=lambda reader: reader.in_flight, default=None)
        if least is None or (least.in_flight and len(self._readers) + self._opening < self._limit):
            return await self._open()
        return least

    async def _open(self) -> _Reader:
        self._opening += 1
        try:
            connection = await aiosqlite.Connection(lambda: connect_reader(self._path), iter_chunk_size=64)
        except sqlite3.Error as error:
            raise translated(error) from None
        finally:
            self._opening -= 1
        reader = _Reader(connection)
        self._readers.append(reader)
        return reader
