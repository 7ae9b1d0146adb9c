"""What the first release's tables hold is all there after every migration that came since, on each kind."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import BigInteger, Double, Integer, LargeBinary, MetaData, Table, create_engine, func, insert, select
from sqlalchemy import bindparam as parameter

from libs.storage import Database, Statement, Transaction
from tests.conformance.storage.test_schemas import OWNERS, SERVICES
from tests.fixtures.databases import Databases

ROWS = 50


def first_release(service: str, tmp_path: Path) -> Path:
    """The migrations that its first release had."""
    versions = tmp_path / "first" / "versions"
    versions.mkdir(parents=True)
    shutil.copy(next((SERVICES / service / "migrations" / "versions").glob("0001_*.py")), versions)
    return versions.parent


async def tables_of(databases: Databases, migrations: Path) -> list[Table]:
    """As a fresh file has them; those come first that others refer to."""
    url = databases.url("sqlite")
    await (await databases.reopen(url, migrations)).close()
    engine, metadata = create_engine(url), MetaData()
    metadata.reflect(engine)
    engine.dispose()
    return [table for table in metadata.sorted_tables if table.name not in {"alembic_version", "identity_locks"}]


def value_of(column: Any, row: int) -> object:
    """One that a migration may read: lists and objects are empty, and every row has another key."""
    if isinstance(column.type, LargeBinary):
        return b"\x02" * 3
    if isinstance(column.type, BigInteger | Integer):
        return row
    if isinstance(column.type, Double):
        return float(row)
    return f"key {row:03}" if column.primary_key or column.foreign_keys else "[]"


async def fill(database: Database, tables: list[Table]) -> None:
    async def unit(transaction: Transaction) -> None:
        for table in tables:
            names = [column.name for column in table.columns]
            add = Statement(insert(table).values({name: parameter(name) for name in names}), *names)
            rows = [tuple(value_of(column, row) for column in table.columns) for row in range(ROWS)]
            await transaction.execute_many(add, rows)

    await database.write(unit)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("service", OWNERS)
async def test_no_row_is_lost_on_the_way_to_today(
    databases: Databases, service: str, kind: str, tmp_path: Path
) -> None:
    first = first_release(service, tmp_path)
    tables, url = await tables_of(databases, first), databases.url(kind)
    before = await databases.reopen(url, first)
    await fill(before, tables)
    await before.close()

    now = await databases.reopen(url, SERVICES / service / "migrations")

    for table in tables:
        [counted] = await now.fetch(Statement(select(func.count()).select_from(table)))
        assert (table.name, counted[0]) == (table.name, ROWS)
