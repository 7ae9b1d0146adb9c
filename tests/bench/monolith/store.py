"""The monolith's tables, and its two engines: one connection writes, a few read."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, MetaData, String, Table, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

metadata = MetaData()
keys = Table(
    "idempotency_keys",
    metadata,
    Column("key", String, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("job_id", String, nullable=False),
    Column("created_at", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
jobs = Table(
    "jobs",
    metadata,
    Column("job_id", String, primary_key=True),
    Column("correlation_id", String, nullable=False),
    Column("total_contacts", Integer, nullable=False),
    Column("valid_contacts", Integer, nullable=False),
    Column("created_at", String, nullable=False),
)
rows = Table(
    "rows",
    metadata,
    Column("job_id", String, primary_key=True),
    Column("row", Integer, primary_key=True),
    Column("original_phone", String, nullable=False),
    Column("phone", String),
    Column("state", String, nullable=False),
    Column("submitted", LargeBinary),
    sqlite_with_rowid=False,
)
chunks = Table(
    "chunks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("job_id", String, nullable=False),
    Column("chunk_index", Integer, nullable=False),
    Column("first_row", Integer, nullable=False),
    Column("last_row", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("state", String, nullable=False, server_default="pending"),
    Column("attempt_count", Integer, nullable=False, server_default="0"),
    Column("due_at", Float, nullable=False),
    Column("sent_at", String),
    Column("status_code", Integer),
    Column("error_message", String),
)
Index("chunks_due", chunks.c.due_at, sqlite_where=chunks.c.state == "pending")
Index("chunks_of_job", chunks.c.job_id, chunks.c.chunk_index)


@dataclass(frozen=True, slots=True)
class Engines:
    writer: AsyncEngine
    reader: AsyncEngine

    async def close(self) -> None:
        await self.writer.dispose()
        await self.reader.dispose()


async def open_engines(path: Path) -> Engines:
    url = f"sqlite+aiosqlite:///{path}"
    # One connection writes, so that transactions queue here and not as busy retries in SQLite.
    writer = create_async_engine(url, pool_size=1, max_overflow=0)
    event.listen(writer.sync_engine, "connect", _configure)
    event.listen(writer.sync_engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    reader = create_async_engine(url, pool_size=4, max_overflow=0)
    async with writer.begin() as connection:
        await connection.run_sync(metadata.create_all)
    return Engines(writer, reader)


def _configure(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where we say, not before every INSERT
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
