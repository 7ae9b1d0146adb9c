"""Opens the database that a URL names."""

from pathlib import Path, PurePath
from urllib.parse import parse_qsl, urlsplit

from libs.storage.database import Database
from libs.storage.errors import DatabaseRefusedError
from libs.storage.migrations import Migrations
from libs.storage.tracing import traced


async def open_database(url: str, *, migrations: Path, long_units: bool = False) -> Database:
    """Migrates it under a lock first. `sqlite:////absolute/file` or `postgresql://user:password@host/name?schema=…`.

    `long_units`: some take many milliseconds, so that on SQLite a thread has to run them and not the event loop.
    Raises DatabaseRefusedError when it must not be used, StorageUnavailableError when it cannot be reached.
    """
    # Each driver is imported only by who uses it: a process pays for one of them in memory and in time to start.
    parts = urlsplit(url)
    match parts.scheme:
        case "sqlite":
            from libs.storage.sqlite.database import open_sqlite  # noqa: PLC0415  # see above

            file = await open_sqlite(url, Migrations(migrations), long_units=long_units)
            return traced(file, system="sqlite", namespace=PurePath(parts.path).stem)
        case "postgresql" | "postgres":
            from libs.storage.postgresql.database import open_postgresql  # noqa: PLC0415  # see above

            schema = dict(parse_qsl(parts.query)).get("schema", "public")
            server = await open_postgresql(url, Migrations(migrations))
            return traced(server, system="postgresql", namespace=f"{parts.path.strip('/')}|{schema}")
        case scheme:
            raise DatabaseRefusedError(
                f"{scheme}://…", why="its scheme is not known.", remedy="Use sqlite:///… or postgresql://…."
            )


def make_database(url: str, *, migrations: Path) -> None:
    """Makes a SQLite file that is not there yet, as `open_database` would; any other database is left to that."""
    if urlsplit(url).scheme == "sqlite":
        from libs.storage.sqlite.database import make_sqlite  # noqa: PLC0415  # as above

        make_sqlite(url, Migrations(migrations))
