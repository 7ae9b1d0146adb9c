"""Migrations on PostgreSQL, by whichever replica comes first, while the others of the release before go on working."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import structlog

from libs.storage.errors import StorageUnavailableError, UnfitDatabaseError
from libs.storage.migrations import Migrations
from libs.storage.postgresql.connection import MIGRATING, PATIENT, Place, connect_alone, quoted

# Two schemas whose names hash alike merely wait for each other.
_LOCK = "SELECT pg_advisory_lock(hashtextextended('contactsync.migrations.' || $1, 0))"
_TRIES = 60
_PAUSE_SECONDS = 2.0

_log = structlog.get_logger()


async def migrate(place: Place, migrations: Migrations) -> None:
    """Makes the schema when it is missing, and applies what is pending, under an advisory lock.

    Each revision is a transaction of its own, so that it holds its locks no longer than it must. Raises
    UnfitDatabaseError when the role may not, NewerDatabaseError, StorageUnavailableError.
    """
    async with AsyncExitStack() as stack:
        connection = await connect_alone(place, PATIENT)
        stack.push_async_callback(connection.close)
        await connection.execute(_LOCK, place.schema)
        try:
            await _ensure_schema(connection, place.schema)
            for revision in migrations.pending(await _revision(connection), where=str(place)):
                await _apply_patiently(place, migrations, revision)
        except asyncpg.InsufficientPrivilegeError:
            raise await _refused(connection, place) from None


async def _ensure_schema(connection: Any, schema: str) -> None:
    # Asked first, since CREATE … IF NOT EXISTS wants the right to create even when there is nothing to do.
    if await connection.fetchval("SELECT 1 FROM pg_namespace WHERE nspname = $1", schema) is None:
        await connection.execute(f"CREATE SCHEMA {quoted(schema)}")


async def _refused(connection: Any, place: Place) -> UnfitDatabaseError:
    role, database = await connection.fetchrow("SELECT current_user, current_database()")
    schema = quoted(place.schema)
    return UnfitDatabaseError(
        str(place),
        why=f"the role {role} may not create its schema or change its tables.",
        remedy=f"As the database's owner: GRANT CREATE ON DATABASE {quoted(database)} TO {quoted(role)};"
        f" or CREATE SCHEMA {schema} AUTHORIZATION {quoted(role)};",
    )


async def _revision(connection: Any) -> str | None:
    try:
        revision: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        return None
    return revision


async def _apply_patiently(place: Place, migrations: Migrations, revision: str) -> None:
    """Gives way to those who use the table, and tries again."""
    for _ in range(_TRIES):
        try:
            return await _apply(place, migrations, revision)
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            _log.info("migration_gives_way", where=str(place), revision=revision)
            await asyncio.sleep(_PAUSE_SECONDS)
    raise StorageUnavailableError(f"{place}: its tables are in use all the time, and could not be migrated")


async def _apply(place: Place, migrations: Migrations, revision: str) -> None:
    from sqlalchemy import NullPool  # noqa: PLC0415  # only when there is something to migrate
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415  # as above
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415  # as above

    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda **_: connect_alone(place, MIGRATING), poolclass=NullPool
    )
    try:
        async with engine.begin() as connection:
            await connection.run_sync(migrations.apply, [revision])
    except DBAPIError as error:
        raise _as_asyncpg(error) from None
    finally:
        await engine.dispose()


def _as_asyncpg(error: Exception) -> BaseException:
    """The driver's own error, which SQLAlchemy wraps twice."""
    origin: BaseException = getattr(error, "orig", None) or error
    return origin.__cause__ or origin
