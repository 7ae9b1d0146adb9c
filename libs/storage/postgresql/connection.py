"""How a connection to PostgreSQL is made: schema, time-outs, durability, each read back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg

from libs.storage.errors import StorageUnavailableError, UnfitDatabaseError

NAME = "contactsync"
CONNECT_SECONDS = 10
# Six services keep one pool each: with two replicas of everything they stay below PostgreSQL's own limit of 100.
CONNECTIONS = 6

_SETTINGS = {
    "synchronous_commit": "on",
    "statement_timeout": "15s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "15s",
    # A peer that vanished without a word is noticed within a minute, and its locks are free again.
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "60s",
}
# PostgreSQL tells 0 of these on a unix socket, where nobody can vanish.
_OF_TCP = frozenset(name for name in _SETTINGS if name.startswith("tcp_"))
_TURNED_AWAY = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
)
# Waiting for another replica's migration takes as long as that takes.
PATIENT = {"statement_timeout": "30min", "lock_timeout": "30min"}
# Whoever waits for a table's lock holds up all who come behind: rather give way and ask again. What it does once it
# has the lock may take longer, such as filling a column.
MIGRATING = {"statement_timeout": "30min", "lock_timeout": "2s", "idle_in_transaction_session_timeout": "5min"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the tables are: a DSN as asyncpg reads it, and the schema that every name is looked up in.

    `password` is the one from a file, read when the place was made; None: the DSN has it, or none is needed.
    """

    dsn: str = field(repr=False)
    schema: str
    connections: int = CONNECTIONS
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        parts = urlsplit(self.dsn)
        host = parts.hostname or dict(parse_qsl(parts.query)).get("host", "")
        return f"postgresql://{host}{parts.path}?schema={self.schema}"


def place_of(url: str) -> Place:
    """Takes `schema` (default `public`), `connections` and `password_file` out of the query; the rest is asyncpg's.

    `connections` is the most that this process opens; `password_file` holds the password, so that it need not stand in
    the URL. Raises UnfitDatabaseError when one of them cannot be used.
    """
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    schema, file = query.pop("schema", "public"), query.pop("password_file", "")
    connections = query.pop("connections", str(CONNECTIONS))
    dsn = urlunsplit(parts._replace(scheme="postgresql", query=urlencode(query)))
    if not connections.isascii() or not connections.isdigit() or not int(connections):
        raise UnfitDatabaseError(
            str(Place(dsn, schema)), why="its connections are no number above 0.", remedy="Write connections=6, say."
        )
    return Place(dsn, schema, int(connections), _read_password(Path(file)) if file else None)


def _read_password(file: Path) -> str:
    try:
        return file.read_text().rstrip("\r\n")
    except OSError as error:
        raise UnfitDatabaseError(
            str(file), why=f"the password cannot be read there ({error.strerror}).", remedy="Let this user read it."
        ) from None


def connecting(place: Place, settings: Mapping[str, str] | None = None) -> dict[str, Any]:
    """How asyncpg connects to the place; settings go with the first message, so that they cost no round trip."""
    ours = {**_SETTINGS, **(settings or {}), "search_path": quoted(place.schema), "application_name": NAME}
    return {"dsn": place.dsn, "password": place.password, "timeout": CONNECT_SECONDS, "server_settings": ours}


def quoted(name: str) -> str:
    """An identifier as SQL writes it, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


async def connect_alone(place: Place, settings: Mapping[str, str]) -> Any:
    """A connection of its own, which the caller closes; raises UnfitDatabaseError or StorageUnavailableError."""
    try:
        return await asyncpg.connect(**connecting(place, settings))
    except _TURNED_AWAY as error:
        raise UnfitDatabaseError(
            str(place),
            why=f"the server turns the role away ({type(error).__name__}).",
            remedy="Mend the role, the password or the database's name in the URL; then start again.",
        ) from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        raise StorageUnavailableError(f"{place}: {type(error).__name__}") from None


async def read_back(connection: Any) -> None:
    """Raises UnfitDatabaseError when a setting did not take, as behind a pooler that drops them."""
    for name, wanted in _SETTINGS.items():
        if name in _OF_TCP:
            continue
        found = await connection.fetchval("SELECT current_setting($1)", name)
        if found != wanted:
            raise UnfitDatabaseError(
                "PostgreSQL",
                why=f"it keeps {name} at {found} where {wanted} is needed.",
                remedy="Connect to the server itself, or to a pooler that keeps a session's settings.",
            )
