"""Copies of all databases of a running hub, as SQLite files, of moments that go together.

On PostgreSQL that is one moment. Files have one each, taken within milliseconds in ORDER: whoever tells another service
something is seen before it, so that what was told may be told again after a restore and is known to have been done, and
nothing counts as done of which there is nothing.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any

from libs.cli.keeping.tables import Table, migrate, open_file, reading, tables_of
from libs.cli.stack.errors import CannotStart
from libs.cli.stack.folder import DataFolder
from libs.cli.stack.postgres import SERVICES_WITH_DATABASE, connect

ORDER = ("source_polling", "ingestion", "idempotency", "access", "delivery", "directory")
"""See services/README.md, "Backups", for what would be lost or doubled in another order."""
_PIECE = 2000


def snapshot(folder: DataFolder, into: Path) -> None:
    """Writes a file for each database into a folder. Raises CannotStart when one cannot be read."""
    url = folder.postgres_url.read_text().strip() if folder.postgres_url.exists() else ""
    if url:
        asyncio.run(_snapshot_schemas(url, into))
    else:
        _snapshot_files(folder, into)


def _snapshot_files(folder: DataFolder, into: Path) -> None:
    with ExitStack() as stack:
        held: dict[str, sqlite3.Connection] = {}
        for service in ORDER:
            file = folder.database_file(service)
            if file.exists():
                with reading(service):
                    held[service] = stack.enter_context(closing(open_file(file)))
                    # The first read, not BEGIN, is the moment that a reader sees from then on.
                    held[service].execute("BEGIN")
                    held[service].execute("SELECT count(*) FROM sqlite_master").fetchone()
        for service, source in held.items():
            with reading(service), closing(sqlite3.connect(into / f"{service}.sqlite3")) as copy:
                source.backup(copy)
                _prove(copy, service)


def _prove(copy: sqlite3.Connection, service: str) -> None:
    (verdict,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise CannotStart(
            f"{service}'s database is damaged ({verdict})", remedy="Keep older backups, and look at the disk."
        )


async def _snapshot_schemas(url: str, into: Path) -> None:
    async with _one_moment(url) as connection:
        for service in SERVICES_WITH_DATABASE:
            revision = await connection.fetchval("SELECT to_regclass($1)", f"{service}.alembic_version")
            if revision is not None:
                await _write_schema(connection, service, into / f"{service}.sqlite3")


@asynccontextmanager
async def _one_moment(url: str) -> AsyncIterator[Any]:
    connection = await connect(url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            yield connection
    finally:
        await connection.close()


async def _write_schema(connection: Any, service: str, path: Path) -> None:
    await migrate(f"sqlite:///{path}", service)
    path.with_name(f"{path.name}.lock").unlink()
    with closing(sqlite3.connect(path, isolation_level=None)) as copy:
        here = await connection.fetchval(f'SELECT version_num FROM "{service}".alembic_version')  # noqa: S608  # our own names
        if copy.execute("SELECT version_num FROM alembic_version").fetchone() != (here,):
            raise CannotStart(
                f"{service}'s schema is at revision {here}, which is not this release's",
                remedy="Back up with the release that runs.",
            )
        copy.execute("BEGIN")
        for table in tables_of(copy):
            await _write_table(connection, copy, service, table)
        copy.execute("COMMIT")
        _prove(copy, service)


async def _write_table(connection: Any, copy: sqlite3.Connection, service: str, table: Table) -> None:
    copy.execute(f"DELETE FROM {table.name}")  # noqa: S608  # what migrations put there is in PostgreSQL, too
    places = ", ".join("?" * len(table.columns))
    add = f"INSERT INTO {table.name} ({table.listed}) VALUES ({places})"  # noqa: S608  # our own names
    cursor = await connection.cursor(f'SELECT {table.listed} FROM "{service}"."{table.name}"')  # noqa: S608  # as above
    while records := await cursor.fetch(_PIECE):
        copy.executemany(add, map(tuple, records))
