"""A service's tables in a SQLite file: what there is, and its rows piece by piece."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from libs.cli.stack.errors import CannotStart
from libs.storage import open_database

Row = tuple[Any, ...]
_PIECE = 5000


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its columns, and those of them that are its key."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]

    @property
    def listed(self) -> str:
        """The columns as SQL lists them; their names are our own."""
        return ", ".join(f'"{column}"' for column in self.columns)


@dataclass(frozen=True, slots=True)
class Content:
    """How many rows there are, and the sum of their digests, in whatever order they come."""

    rows: int
    digest: int


def migrations_of(service: str) -> Path:
    """The folder of a service's migrations, found without importing the service."""
    found = find_spec("services")
    assert found is not None
    assert found.submodule_search_locations is not None
    return Path(next(iter(found.submodule_search_locations))) / service / "migrations"


async def migrate(url: str, service: str) -> None:
    """Brings a database to this release's schema; raises DatabaseRefusedError or StorageUnavailableError."""
    await (await open_database(url, migrations=migrations_of(service))).close()


def open_file(path: Path) -> sqlite3.Connection:
    """For reading alone, whoever writes meanwhile."""
    return sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)


@contextmanager
def reading(service: str) -> Iterator[None]:
    """Raises CannotStart when the service's database cannot be read, or be copied to where there is no room."""
    try:
        yield
    except sqlite3.Error as error:
        remedy = "Look at the disk: is it full, is it well? If the database is damaged, restore a backup."
        raise CannotStart(f"{service}'s database cannot be copied: {error}", remedy=remedy) from None


def tables_of(database: sqlite3.Connection) -> list[Table]:
    """All but the migrations' own; those that others refer to come first."""
    named = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    tables = [_table(database, name) for (name,) in sorted(named) if name != "alembic_version"]
    return sorted(tables, key=lambda table: len(database.execute(f"PRAGMA foreign_key_list({table.name})").fetchall()))


def _table(database: sqlite3.Connection, name: str) -> Table:
    told = database.execute(f"PRAGMA table_info({name})").fetchall()
    key = sorted((place, column) for _, column, _, _, _, place in told if place)
    return Table(name, tuple(column for _, column, *_ in told), tuple(column for _, column in key))


def pieces(database: sqlite3.Connection, table: Table, *, after: Sequence[Any] | None) -> Iterator[list[Row]]:
    """The rows behind a key (None: all), in the order of keys, some thousands at a time."""
    key = ", ".join(f'"{column}"' for column in table.key)
    while True:
        behind = f"WHERE ({key}) > ({', '.join('?' * len(table.key))})" if after is not None else ""
        text = f"SELECT {table.listed} FROM {table.name} {behind} ORDER BY {key} LIMIT {_PIECE}"  # noqa: S608  # our own names
        rows = database.execute(text, tuple(after or ())).fetchall()
        if not rows:
            return
        yield rows
        after = key_of(table, rows[-1])


def key_of(table: Table, row: Row) -> list[Any]:
    """The values of a row's key."""
    return [row[table.columns.index(column)] for column in table.key]


def content_of(rows: Iterable[Row]) -> Content:
    """Of rows of either kind of database."""
    count = digest = 0
    for row in rows:
        count += 1
        digest += digest_of(row)
    return Content(count, digest % 2**64)


def digest_of(row: Row) -> int:
    """Of one row; sums of these do not depend on the order."""
    return int.from_bytes(blake2b(repr(row).encode(), digest_size=8).digest())


def content_of_file(path: Path) -> dict[str, Content]:
    """By table."""
    with closing(open_file(path)) as database:
        return {
            table.name: content_of(database.execute(f"SELECT {table.listed} FROM {table.name}"))  # noqa: S608  # our own names
            for table in tables_of(database)
        }
