"""Sources in a database, SQLite or PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from typing_extensions import override

from libs.storage import Database, Row, Transaction, to_micros
from services.source_polling.domain.source import Source, SourceId
from services.source_polling.ports.store import Plans, SourceEdits, Sources
from services.source_polling.ports.surroundings import Cipher
from services.source_polling.store import statements
from services.source_polling.store.rows import secrets_text, source_of_row, source_row

MIGRATIONS = Path(__file__).parents[1] / "migrations"


class SqlSources(Sources, SourceEdits, Plans):
    """There are few, and each is read when it is run: nothing is remembered."""

    def __init__(self, database: Database, *, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher

    @override
    async def find(self, source_id: SourceId) -> Source | None:
        row = await self._database.fetch_one(statements.FIND_SOURCE, (source_id,))
        return None if row is None else self._read(row)

    @override
    async def list(self) -> Sequence[Source]:
        return [self._read(row) for row in await self._database.fetch(statements.ALL_SOURCES)]

    @override
    async def put(self, source: Source) -> bool:
        row = self._written(source)

        async def unit(transaction: Transaction) -> bool:
            return await transaction.execute(statements.PUT_SOURCE, row) > 0

        return await self._database.write(unit)

    @override
    async def change(self, source: Source) -> bool:
        source_id, name, _, settings, sealed, enabled, next_run_at, *_ = self._written(source)

        async def unit(transaction: Transaction) -> bool:
            values = (source_id, name, settings, sealed, enabled, next_run_at)
            return await transaction.execute(statements.CHANGE_SOURCE, values) > 0

        return await self._database.write(unit)

    @override
    async def plan(self, source_id: SourceId, *, at: datetime) -> None:
        async def unit(transaction: Transaction) -> None:
            await transaction.execute(statements.PLAN, (source_id, to_micros(at)))

        await self._database.write(unit)

    @override
    async def forget_cursor(self, source_id: SourceId) -> bool:
        async def unit(transaction: Transaction) -> bool:
            return await transaction.execute(statements.FORGET_CURSOR, (source_id,)) > 0

        return await self._database.write(unit)

    @override
    async def delete(self, source_id: SourceId) -> bool:
        async def unit(transaction: Transaction) -> bool:
            # Locked first, so that no run is opened meanwhile.
            if await transaction.fetch_one(statements.LOCK_SOURCE, (source_id,)) is None:
                return False
            for statement in statements.DELETE_WHAT_IT_LEFT:
                await transaction.execute(statement, (source_id,))
            return await transaction.execute(statements.DELETE_SOURCE, (source_id,)) > 0

        return await self._database.write(unit)

    def _written(self, source: Source) -> Row:
        return source_row(source, sealed=self._cipher.seal(secrets_text(source), source_id=source.source_id))

    def _read(self, row: Row) -> Source:
        return source_of_row(row, secrets=self._cipher.unseal(bytes(row[4]), source_id=SourceId(row[0])))
