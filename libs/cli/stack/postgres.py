"""A hub's data in PostgreSQL: one database, a schema for each service, named by one URL that the folder remembers."""

import asyncio
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from libs.cli.stack.errors import CannotStart
from libs.cli.stack.folder import DataFolder, write_private
from libs.cli.stack.shape import Shape

SERVICES_WITH_DATABASE = ("access", "idempotency", "directory", "ingestion", "delivery", "source_polling")
_OLDEST_SERVER = 13
_SPARE = 10  # connections for migrations, backups and whoever looks in with psql
_FEWEST, _MOST = 2, 6
_DURABLE = ["fsync", "full_page_writes", "synchronous_commit"]


def place_of(url: str) -> str:
    """The database as it may be shown: without the role and the password."""
    parts = urlsplit(url)
    host = parts.hostname or dict(parse_qsl(parts.query)).get("host", "")
    return f"postgresql://{host}{f':{parts.port}' if parts.port else ''}{parts.path}"


def settle(folder: DataFolder, shape: Shape) -> Shape:
    """The shape with the database that the folder's hub is on: the one given, or the one it was on before.

    The folder remembers a given one. Raises CannotStart when the database cannot be used, when the folder's data is in
    SQLite files, and when the shape's parts do not go together.
    """
    remembered = _remembered(folder)
    if shape.postgres and not remembered and (files := folder.database_files()):
        raise CannotStart(
            f"the hub's data is in SQLite files ({files[0].parent}), not in {place_of(shape.postgres)}",
            remedy=f"Take it there first: contactsync migrate-data --data {folder.root} --postgres …",
        )
    settled = replace(shape, postgres=shape.postgres or remembered)
    settled.check()
    if not settled.postgres:
        return settled
    connections = asyncio.run(_share(settled.postgres, processes=len(SERVICES_WITH_DATABASE) * settled.replicas))
    remember(folder, settled.postgres)
    return replace(settled, connections=connections)


def remember(folder: DataFolder, url: str) -> None:
    """From now on the folder's hub is on this database. Its password has a file of its own, which services read."""
    write_private(folder.postgres_url, url)
    write_private(folder.postgres_password, _password_of(url))


def _remembered(folder: DataFolder) -> str:
    return folder.postgres_url.read_text().strip() if folder.postgres_url.exists() else ""


def service_url(folder: DataFolder, shape: Shape, service: str) -> str:
    """The URL of a service's schema, which may be seen: the password is in a file."""
    parts = urlsplit(shape.postgres)
    role, _, host = parts.netloc.rpartition("@")
    query = {name: value for name, value in parse_qsl(parts.query) if name != "password"}
    query |= {"schema": service, "connections": str(shape.connections)}
    if _password_of(shape.postgres):
        query["password_file"] = str(folder.postgres_password)
    netloc = f"{role.partition(':')[0]}@{host}" if role else host
    return urlunsplit(parts._replace(netloc=netloc, query=urlencode(query)))


def schema_url(url: str, service: str) -> str:
    """The URL of a service's schema, with the password in it."""
    parts = urlsplit(url)
    query = {**dict(parse_qsl(parts.query)), "schema": service}
    return urlunsplit(parts._replace(query=urlencode(query)))


def _password_of(url: str) -> str:
    parts = urlsplit(url)
    return unquote(parts.password or "") or dict(parse_qsl(parts.query)).get("password", "")


async def _share(url: str, *, processes: int) -> int:
    """How many connections each process may open; raises CannotStart when the server cannot serve so many."""
    connection = await connect(url)
    try:
        version: int = await connection.fetchval("SELECT current_setting('server_version_num')::int / 10000")
        limit: int = await connection.fetchval(
            "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"
        )
    finally:
        await connection.close()
    if version < _OLDEST_SERVER:
        raise CannotStart(
            f"{place_of(url)} is PostgreSQL {version}", remedy=f"Upgrade it to {_OLDEST_SERVER} or newer."
        )
    share = (limit - _SPARE) // processes
    if share < _FEWEST:
        raise CannotStart(
            f"{place_of(url)} takes {limit} connections, which is too few for {processes} processes",
            remedy=f"Set max_connections to {processes * _FEWEST + 2 * _SPARE} or more, or ask for fewer replicas.",
        )
    return min(_MOST, share)


@dataclass(frozen=True, slots=True)
class Server:
    """The database's server: connections in use by anybody, how many there may be, and what is off and must not be."""

    used: int
    limit: int
    unsafe: tuple[str, ...]


async def look_at_server(url: str) -> Server:
    """How it is now; raises CannotStart."""
    connection = await connect(url)
    try:
        used, limit = await connection.fetchrow(
            "SELECT count(*), current_setting('max_connections')::int FROM pg_stat_activity"
            " WHERE backend_type = 'client backend'"
        )
        off = await connection.fetch("SELECT name FROM pg_settings WHERE name = ANY($1) AND setting = 'off'", _DURABLE)
    finally:
        await connection.close()
    return Server(used, limit, tuple(row["name"] for row in off))


async def connect(url: str) -> Any:
    """A connection to the database, which the caller closes; raises CannotStart."""
    if urlsplit(url).scheme not in {"postgresql", "postgres"}:
        raise CannotStart("the URL given with --postgres is none", remedy="Write postgresql://user@host:5432/database.")
    import asyncpg  # noqa: PLC0415  # only who has PostgreSQL needs its driver

    try:
        return await asyncpg.connect(url, timeout=10, server_settings={"application_name": "contactsync"})
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, ValueError) as error:
        raise CannotStart(
            f"PostgreSQL cannot be used at {place_of(url)} ({type(error).__name__})",
            remedy="See whether it runs there, whether that database exists, and whether role and password are right.",
        ) from None
