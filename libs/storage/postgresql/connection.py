"""How a connection to PostgreSQL is made: schema, time-outs, durability, each read back."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg

from libs.storage.errors import DatabaseRefusedError, StorageUnavailableError

_SETTINGS = {
    "synchronous_commit": "on",
    "statement_timeout": "15s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "15s",
}
# A migration may wait for another replica's, and may rewrite a table.
_PATIENT = {**_SETTINGS, "statement_timeout": "30min", "lock_timeout": "10min"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the tables are: a DSN as asyncpg reads it, and the schema that every name is looked up in."""

    dsn: str
    schema: str

    def __str__(self) -> str:
        parts = urlsplit(self.dsn)
        return f"postgresql://{parts.hostname or ''}{parts.path}?schema={self.schema}"


def place_of(url: str) -> Place:
    """Takes `schema` (default `public`) out of the query; the rest of it is asyncpg's."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    schema = query.pop("schema", "public")
    return Place(urlunsplit(parts._replace(scheme="postgresql", query=urlencode(query))), schema)


def settings_of(place: Place, *, patient: bool = False) -> dict[str, str]:
    """Session settings, given with the connection's first message so that they cost no round trip."""
    return {**(_PATIENT if patient else _SETTINGS), "search_path": place.schema, "application_name": "contactsync"}


async def connect_patiently(place: Place) -> Any:
    """A connection of its own for migrations; the caller closes it."""
    try:
        return await asyncpg.connect(place.dsn, timeout=10, server_settings=settings_of(place, patient=True))
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        raise StorageUnavailableError(f"{place}: {type(error).__name__}") from None


async def read_back(connection: Any) -> None:
    """Raises DatabaseRefusedError when a setting did not take, as behind a pooler that drops them."""
    for name, wanted in _SETTINGS.items():
        found = await connection.fetchval("SELECT current_setting($1)", name)
        if found != wanted:
            raise DatabaseRefusedError(
                "PostgreSQL",
                why=f"it keeps {name} at {found} where {wanted} is needed.",
                remedy="Connect to the server itself, or to a pooler that keeps a session's settings.",
            )
