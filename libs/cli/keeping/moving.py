"""SQLite files into PostgreSQL: piece by piece, each with the mark that it is there, so that a kill costs a piece."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from libs.cli.keeping.tables import (
    Content,
    Table,
    content_of_file,
    digest_of,
    key_of,
    migrate,
    open_file,
    pieces,
    reading,
    tables_of,
)
from libs.cli.stack.errors import CannotStart
from libs.cli.stack.folder import DataFolder
from libs.cli.stack.postgres import SERVICES_WITH_DATABASE, connect, place_of, schema_url
from libs.storage import DatabaseRefusedError, StorageUnavailableError

# While this schema is there, what is in the others is a copy that is not done.
_MARKS = """
CREATE SCHEMA IF NOT EXISTS contactsync_copy;
CREATE TABLE IF NOT EXISTS contactsync_copy.origin (hub text NOT NULL);
CREATE TABLE IF NOT EXISTS contactsync_copy.progress (
  service text, name text, last_key text, PRIMARY KEY (service, name)
);
"""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Moved:
    """A table that is in PostgreSQL as it was in its file."""

    service: str
    table: str
    rows: int


async def move(folder: DataFolder, url: str, *, say: Say) -> list[Moved]:
    """Copies all databases of a hub that is stopped, and compares the counts and digests of every table.

    Goes on where an earlier call was killed. Raises CannotStart when the target holds anything but its own half-done
    copy, and when a table is not there as it was.
    """
    async with _connected(url) as connection:
        await _claim(connection, url, _identity(folder))
        moved: list[Moved] = []
        for file in folder.database_files():
            say(f"{file.stem} …")
            moved += await _move_service(connection, folder, url, file.stem)
        return moved


async def forget_marks(url: str) -> None:
    """The copy is done, and the hub's from now on."""
    async with _connected(url) as connection:
        await connection.execute("DROP SCHEMA contactsync_copy CASCADE")


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Any]:
    connection = await connect(url)
    try:
        yield connection
    finally:
        await connection.close()


def _identity(folder: DataFolder) -> str:
    """By what a hub knows its own copy; tells nothing of the key."""
    return sha256(b"contactsync copy of " + folder.key("service").read_bytes()).hexdigest()


async def _claim(connection: Any, url: str, hub: str) -> None:
    owner = None
    if await connection.fetchval("SELECT to_regclass('contactsync_copy.origin')"):
        owner = await connection.fetchval("SELECT hub FROM contactsync_copy.origin")
    taken = [
        service
        for service in SERVICES_WITH_DATABASE
        if await connection.fetchval("SELECT to_regclass($1)", f"{service}.alembic_version")
    ]
    if (owner is None and taken) or owner not in {None, hub}:
        raise CannotStart(
            f"{place_of(url)} holds another hub's data already ({', '.join(taken) or 'a half-done copy'})",
            remedy="Name an empty database; nothing was changed in this one.",
        )
    async with connection.transaction():
        await connection.execute(_MARKS)
        if owner is None:
            await connection.execute("INSERT INTO contactsync_copy.origin VALUES ($1)", hub)


async def _move_service(connection: Any, folder: DataFolder, url: str, service: str) -> list[Moved]:
    file = folder.database_file(service)
    try:
        await migrate(folder.database_url(service), service)
        await migrate(schema_url(url, service), service)
    except (DatabaseRefusedError, StorageUnavailableError) as error:
        raise CannotStart(str(error), remedy="Then start the same command again: it goes on where it was.") from None
    with reading(service), closing(open_file(file)) as database:
        tables = tables_of(database)
        for table in tables:
            await _move_table(connection, database, service, table)
    there = content_of_file(file)
    here = {table.name: await content_of_schema(connection, service, table) for table in tables}
    _compare(service, there, here)
    return [Moved(service, name, content.rows) for name, content in here.items()]


async def _move_table(connection: Any, database: Any, service: str, table: Table) -> None:
    last_key = await _begin_table(connection, service, table)
    for rows in pieces(database, table, after=json.loads(last_key) if last_key else None):
        async with connection.transaction():
            await connection.copy_records_to_table(
                table.name, schema_name=service, columns=table.columns, records=rows, timeout=None
            )
            await connection.execute(
                "UPDATE contactsync_copy.progress SET last_key = $3 WHERE service = $1 AND name = $2",
                service,
                table.name,
                json.dumps(key_of(table, rows[-1])),
            )


async def _begin_table(connection: Any, service: str, table: Table) -> str | None:
    """Where to go on. What migrations themselves put into a table gives way to what the file has in it."""
    async with connection.transaction():
        begun = await connection.fetchrow(
            "SELECT last_key FROM contactsync_copy.progress WHERE service = $1 AND name = $2", service, table.name
        )
        if begun is not None:
            last_key: str | None = begun[0]
            return last_key
        await connection.execute(f'TRUNCATE "{service}"."{table.name}" CASCADE')
        await connection.execute("INSERT INTO contactsync_copy.progress VALUES ($1, $2, NULL)", service, table.name)
        return None


async def content_of_schema(connection: Any, service: str, table: Table) -> Content:
    """Of a table in PostgreSQL, without holding it in memory."""
    count = digest = 0
    async with connection.transaction(readonly=True):
        text = f'SELECT {table.listed} FROM "{service}"."{table.name}"'  # noqa: S608  # our own names
        async for record in connection.cursor(text, prefetch=2000):
            count += 1
            digest += digest_of(tuple(record))
    return Content(count, digest % 2**64)


def _compare(service: str, there: dict[str, Content], here: dict[str, Content]) -> None:
    for name, content in there.items():
        if here[name] != content:
            raise CannotStart(
                f"{service}.{name} has {here[name].rows} rows in PostgreSQL and {content.rows} in its file,"
                " or their values differ",
                remedy="The hub stays on its files. Empty the database, and start again.",
            )
