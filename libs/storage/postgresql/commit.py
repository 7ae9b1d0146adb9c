"""A transaction's begin and end, and what became of one whose end nobody heard of."""

import asyncio
from typing import Any

import asyncpg
import structlog

from libs.storage.errors import CommitUnknownError, StorageError, StorageUnavailableError
from libs.storage.postgresql.connection import NAME, Place, connect_alone
from libs.storage.postgresql.errors import FAILURES, LOST

# The session tells its name whenever that changes, with the answer that is awaited anyway: so the number of the
# transaction, by which PostgreSQL says what became of it, costs no round trip of its own.
_BEGIN = f"BEGIN; SELECT set_config('application_name', '{NAME} ' || pg_current_xact_id(), true)"
_FATE = "SELECT pg_xact_status($1::text::xid8)"
_PATIENCE_SECONDS = 10.0
_PAUSE_SECONDS = 0.1

_log = structlog.get_logger()


async def begin(connection: Any) -> str:
    """Gives the transaction's number."""
    await connection.execute(_BEGIN)
    return str(connection.get_settings().application_name).rpartition(" ")[2]


async def commit(connection: Any, place: Place, number: str) -> None:
    """Returns when the transaction is on disk.

    Where the answer is lost, PostgreSQL is asked, as soon as it can be, what became of it. Raises
    StorageUnavailableError when it was undone, and CommitUnknownError when that could not be found out in time.
    """
    try:
        ended = await connection.execute("COMMIT")
    except LOST as error:
        await _look_up(place, number, type(error).__name__)
        return
    if ended != "COMMIT":
        raise StorageUnavailableError("a statement of the transaction had failed before")


async def roll_back(connection: Any) -> None:
    """Whatever state it is in."""
    try:
        await connection.execute("ROLLBACK")
    except FAILURES:
        connection.terminate()  # and with it goes the transaction


async def _look_up(place: Place, number: str, why: str) -> None:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            fate = await _find_fate(place, number)
    except (StorageError, *FAILURES):
        fate = None
    _log.warning("commit_looked_up", where=str(place), lost=why, fate=fate or "unknown")
    if fate == "aborted":
        raise StorageUnavailableError(why)
    if fate != "committed":
        raise CommitUnknownError(why)


async def _find_fate(place: Place, number: str) -> str | None:
    """Waits for a server that restarts, and for a backend that has not noticed yet that nobody listens."""
    while True:
        try:
            fate = await _ask_fate(place, number)
        except StorageUnavailableError:
            fate = "in progress"
        if fate != "in progress":
            return fate
        await asyncio.sleep(_PAUSE_SECONDS)


async def _ask_fate(place: Place, number: str) -> str | None:
    connection = await connect_alone(place, {})
    try:
        fate: str | None = await connection.fetchval(_FATE, number)
    except (asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError) as error:
        raise StorageUnavailableError(type(error).__name__) from None
    finally:
        connection.terminate()
    return fate
