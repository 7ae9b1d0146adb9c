"""What is PostgreSQL's own: settings read back, an answer lost, a value refused."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from libs.storage import (
    DatabaseRefusedError,
    StorageUnavailableError,
    Transaction,
    UnfitDatabaseError,
    ValueRefusedError,
)
from libs.storage.postgresql.connection import place_of, read_back
from libs.storage.postgresql.database import PostgresqlDatabase
from tests.fixtures.databases import Databases
from tests.fixtures.things import COUNT, MIGRATIONS, PUT, putting


@pytest.fixture
async def database(databases: Databases) -> PostgresqlDatabase:
    database = await databases.open("postgresql", MIGRATIONS)
    assert isinstance(database, PostgresqlDatabase)
    return database


def test_the_schema_is_taken_out_of_the_url() -> None:
    place = place_of("postgresql://user:secret@host:5432/db?schema=ingestion&sslmode=require")

    assert place.dsn == "postgresql://user:secret@host:5432/db?sslmode=require"
    assert place.schema == "ingestion"
    assert str(place) == "postgresql://host/db?schema=ingestion"
    assert "secret" not in repr(place)


def test_the_password_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("se/cret?\n")

    place = place_of(f"postgresql://user@host/db?password_file={file}&connections=3")

    assert (place.dsn, place.password, place.connections) == ("postgresql://user@host/db", "se/cret?", 3)
    assert "se/cret" not in repr(place)


@pytest.mark.parametrize("parameter", ["password_file=/nowhere", "connections=0", "connections=many"])
def test_a_parameter_that_cannot_be_used_is_refused_without_the_password(parameter: str) -> None:
    with pytest.raises(UnfitDatabaseError) as caught:
        place_of(f"postgresql://user:secret@host/db?{parameter}")

    assert "secret" not in str(caught.value)


async def test_a_setting_that_did_not_take_is_refused(databases: Databases) -> None:
    place = place_of(databases.url("postgresql"))
    connection = await asyncpg.connect(place.dsn, server_settings={"synchronous_commit": "off"})

    try:
        with pytest.raises(DatabaseRefusedError, match="synchronous_commit at off"):
            await read_back(connection)
    finally:
        await connection.close()


@pytest.fixture
async def administrator(databases: Databases) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(place_of(databases.url("postgresql")).dsn)
    yield connection
    await connection.close()


async def test_a_connection_lost_before_the_commit_is_unavailable(
    database: PostgresqlDatabase, administrator: Any
) -> None:
    async def unit(transaction: Transaction) -> None:
        await transaction.execute(PUT, ("lost", 1, None))
        pid = transaction._connection.get_server_pid()  # type: ignore[attr-defined]  # the pool's own
        await administrator.fetchval("SELECT pg_terminate_backend($1, 5000)", pid)
        await transaction.execute(PUT, ("more", 1, None))

    with pytest.raises(StorageUnavailableError):
        await database.write(unit)

    assert await database.fetch_one(COUNT) == (0,)


async def test_a_unit_whose_connection_was_lost_before_its_commit_arrived_is_undone(
    database: PostgresqlDatabase, administrator: Any
) -> None:
    async def unit(transaction: Transaction) -> None:
        await transaction.execute(PUT, ("lost", 1, None))
        pid = transaction._connection.get_server_pid()  # type: ignore[attr-defined]  # the pool's own
        await administrator.fetchval("SELECT pg_terminate_backend($1, 5000)", pid)

    with pytest.raises(StorageUnavailableError):
        await database.write(unit)

    assert await database.write(putting("afterwards")) == "afterwards"
    assert await database.fetch_one(COUNT) == (1,)


async def test_a_value_that_does_not_fit_is_not_told(database: PostgresqlDatabase) -> None:
    with pytest.raises(ValueRefusedError) as caught:
        await database.write(putting("+79001234567\x00"))

    assert "7900" not in str(caught.value)
    assert caught.value.__suppress_context__


async def test_a_unit_is_retried_whole_when_the_database_asks_for_it(database: PostgresqlDatabase) -> None:
    tries: list[int] = []

    async def unit(transaction: Transaction) -> int:
        tries.append(1)
        await transaction.execute(PUT, ("once", 1, None))
        if len(tries) < 3:
            raise asyncpg.SerializationError
        return len(tries)

    assert await database.write(unit) == 3
    assert await database.fetch_one(COUNT) == (1,)


async def test_a_unit_that_never_succeeds_is_given_up(database: PostgresqlDatabase) -> None:
    async def unit(transaction: Transaction) -> None:
        raise asyncpg.DeadlockDetectedError

    with pytest.raises(StorageUnavailableError):
        await database.write(unit)
