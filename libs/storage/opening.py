"""Opens the database that a URL names."""

from pathlib import Path
from urllib.parse import urlsplit

from libs.storage.database import Database
from libs.storage.errors import DatabaseRefusedError
from libs.storage.migrations import Migrations


async def open_database(url: str, *, migrations: Path) -> Database:
    """Migrates it under a lock first. `sqlite:////absolute/file` or `postgresql://user:password@host/name?schema=…`.

    Raises DatabaseRefusedError when it must not be used, StorageUnavailableError when it cannot be reached.
    """
    # Each driver is imported only by who uses it: a process pays for one of them in memory and in time to start.
    match urlsplit(url).scheme:
        case "sqlite":
            from libs.storage.sqlite.database import open_sqlite  # noqa: PLC0415  # see above

            return await open_sqlite(url, Migrations(migrations))
        case "postgresql" | "postgres":
            from libs.storage.postgresql.database import open_postgresql  # noqa: PLC0415  # see above

            return await open_postgresql(url, Migrations(migrations))
        case scheme:
            raise DatabaseRefusedError(
                f"{scheme}://…", why="its scheme is not known.", remedy="Use sqlite:///… or postgresql://…."
            )
