"""Migrations on PostgreSQL, by whichever replica comes first."""

from contextlib import AsyncExitStack
from typing import Any

import asyncpg

from libs.storage.migrations import Migrations
from libs.storage.postgresql.connection import Place, connect_patiently

# Two schemas whose names hash alike merely wait for each other.
_LOCK = "SELECT pg_advisory_lock(hashtextextended('contactsync.migrations.' || $1, 0))"


async def migrate(place: Place, migrations: Migrations) -> None:
    """Makes the schema when it is missing, and applies what is pending in one transaction, under an advisory lock."""
    async with AsyncExitStack() as stack:
        connection = await connect_patiently(place)
        stack.push_async_callback(connection.close)
        await connection.execute(_LOCK, place.schema)
        await _ensure_schema(connection, place.schema)
        pending = migrations.pending(await _revision(connection), where=str(place))
        if pending:
            await _apply(place, migrations, pending)


async def _ensure_schema(connection: Any, schema: str) -> None:
    # Asked first, since CREATE … IF NOT EXISTS wants the right to create even when there is nothing to do.
    if await connection.fetchval("SELECT 1 FROM pg_namespace WHERE nspname = $1", schema) is None:
        quoted = '"' + schema.replace('"', '""') + '"'
        await connection.execute(f"CREATE SCHEMA {quoted}")


async def _revision(connection: Any) -> str | None:
    try:
        revision: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        return None
    return revision


async def _apply(place: Place, migrations: Migrations, pending: tuple[str, ...]) -> None:
    from sqlalchemy import NullPool  # noqa: PLC0415  # only when there is something to migrate
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415  # as above

    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda **_: connect_patiently(place), poolclass=NullPool
    )
    async with engine.begin() as connection:
        await connection.run_sync(migrations.apply, pending)
    await engine.dispose()
