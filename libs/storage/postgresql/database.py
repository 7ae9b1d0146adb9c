"""A schema in PostgreSQL as a Database; the server groups commits itself."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any, TypeVar

import asyncpg
import structlog

from libs.measures import Measures
from libs.storage.database import Unit
from libs.storage.errors import StorageUnavailableError
from libs.storage.migrations import Migrations
from libs.storage.numbers import WritingNumbers
from libs.storage.postgresql.commit import begin, commit, roll_back
from libs.storage.postgresql.connection import Place, connecting, place_of, read_back
from libs.storage.postgresql.errors import FAILURES, RETRIED, translated
from libs.storage.postgresql.migrating import migrate
from libs.storage.statement import Row, Statement

T = TypeVar("T")
_TRIES = 6
_FIRST_PAUSE = 0.005  # seconds, doubled with every try and spread by chance
_PATIENCE = 10.0  # seconds for a free connection
_LATER = 1.0  # seconds at most that a mark waits
_COMMAND = 20.0  # seconds, above the server's own statement_timeout: for when it does not answer at all

_log = structlog.get_logger()


class PostgresqlTransaction:
    """A transaction on one connection of the pool."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def execute(self, statement: Statement, row: Row = ()) -> int:
        text, arranged = _laid_out(statement, row)
        status: str = await self._connection.execute(text, *arranged)
        return int(status.rpartition(" ")[2])

    async def execute_many(self, statement: Statement, rows: Sequence[Row]) -> None:
        prepared = statement.postgresql
        arranged = [prepared.arrange(row) for row in rows] if prepared.arrange else rows
        await self._connection.executemany(prepared.text, arranged)

    async def fetch(self, statement: Statement, row: Row = ()) -> list[tuple[Any, ...]]:
        text, arranged = _laid_out(statement, row)
        return [tuple(record) for record in await self._connection.fetch(text, *arranged)]

    async def fetch_one(self, statement: Statement, row: Row = ()) -> tuple[Any, ...] | None:
        rows = await self.fetch(statement, row)
        return rows[0] if rows else None


def _laid_out(statement: Statement, row: Row) -> tuple[str, Row]:
    prepared = statement.postgresql
    return prepared.text, prepared.arrange(row) if prepared.arrange else row


class PostgresqlDatabase:
    """A pool of connections, and the marks that wait for a transaction of their own."""

    def __init__(self, pool: Any, place: Place) -> None:
        self._pool = pool
        self._place = place
        self._later: list[Unit[object]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._flushes: set[asyncio.Task[None]] = set()
        self._closed = False
        self._numbers = WritingNumbers("postgresql")

    @property
    def measures(self) -> Measures:
        return self._numbers.measures

    async def write(self, unit: Unit[T]) -> T:
        for attempt in range(_TRIES - 1):
            try:
                return await self._once(unit)
            except RETRIED:
                await asyncio.sleep(_FIRST_PAUSE * 2**attempt * random.uniform(0.5, 1.5))  # noqa: S311  # no secret
        try:
            return await self._once(unit)
        except RETRIED as error:
            raise StorageUnavailableError(type(error).__name__) from None

    def write_later(self, unit: Unit[object]) -> None:
        if self._closed:
            raise StorageUnavailableError("it is closed")
        self._later.append(unit)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_LATER, self._begin_flush)

    async def fetch(self, statement: Statement, row: Row = ()) -> list[tuple[Any, ...]]:
        async with self._connection() as connection:
            return await PostgresqlTransaction(connection).fetch(statement, row)

    async def fetch_one(self, statement: Statement, row: Row = ()) -> tuple[Any, ...] | None:
        rows = await self.fetch(statement, row)
        return rows[0] if rows else None

    async def check(self) -> None:
        async with self._connection() as connection:
            await connection.fetchval("SELECT 1 FROM alembic_version")

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._begin_flush()
        await asyncio.gather(*self._flushes)
        try:
            await asyncio.wait_for(self._pool.close(), _PATIENCE)
        except TimeoutError:
            self._pool.terminate()

    async def _once(self, unit: Unit[T]) -> T:
        async with self._connection() as connection:
            began = perf_counter()
            number = await begin(connection)
            try:
                result = await unit(PostgresqlTransaction(connection))
            except BaseException:
                await roll_back(connection)
                raise
            await commit(connection, self._place, number)
            self._numbers.committed(1, began=began)
            return result

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        """Errors inside become those of libs.storage, but for the ones that are worth another try."""
        try:
            async with self._pool.acquire(timeout=_PATIENCE) as connection:
                yield connection
        except RETRIED:
            raise
        except FAILURES as error:
            raise translated(error) from None

    def _begin_flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        units, self._later = self._later, []
        if units:
            task = asyncio.get_running_loop().create_task(self._flush(units))
            self._flushes.add(task)
            task.add_done_callback(self._flushes.discard)

    async def _flush(self, units: Sequence[Unit[object]]) -> None:
        """All in one transaction; when that fails each in its own, so that a bad mark does not take others along."""

        async def together(transaction: Any) -> None:
            for unit in units:
                await unit(transaction)

        try:
            await self.write(together)
        except Exception as error:  # noqa: BLE001  # nobody waits for it: the log is all there is
            _log.warning("unattended_write_failed", error=type(error).__name__, units=len(units))
            if len(units) > 1:
                for unit in units:
                    await self._flush([unit])


async def _keep(_connection: Any) -> None:
    """Units change no session setting, so nothing is reset: that would cost a round trip per transaction."""


async def open_postgresql(url: str, migrations: Migrations) -> PostgresqlDatabase:
    """Raises DatabaseRefusedError or StorageUnavailableError."""
    place = place_of(url)
    await migrate(place, migrations)
    return PostgresqlDatabase(await _pool(place), place)


async def _pool(place: Place) -> Any:
    try:
        return await asyncpg.create_pool(
            **connecting(place),
            min_size=1,
            max_size=place.connections,
            command_timeout=_COMMAND,
            # A service has fewer statements than the cache holds: each is prepared once in a connection's life.
            statement_cache_size=256,
            max_cached_statement_lifetime=0,
            init=read_back,
            reset=_keep,
        )
    except FAILURES as error:
        raise translated(error) from None
