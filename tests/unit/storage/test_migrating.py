"""Migrations on a live PostgreSQL: by one replica, giving way to those who work, refused in words."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg
import pytest

from libs.storage import NewerDatabaseError, Transaction, UnfitDatabaseError, open_database
from libs.storage.postgresql import connection, migrating
from libs.storage.postgresql.connection import place_of
from tests.fixtures.databases import Databases
from tests.fixtures.things import COUNT, MIGRATIONS, PUT, putting

_ADD_A_COLUMN = 'op.add_column("things", sa.Column("colour", sa.Text, nullable=False, server_default=""))'


def later(folder: Path, revision: str, step: str = _ADD_A_COLUMN) -> Path:
    """The migrations there are, and one more."""
    versions = folder / "later" / "versions"
    versions.mkdir(parents=True)
    versions.joinpath("0001_things.py").write_text((MIGRATIONS / "versions" / "0001_things.py").read_text())
    versions.joinpath(f"{revision}_more.py").write_text(
        f"import sqlalchemy as sa\nfrom alembic import op\nrevision = {revision!r}\ndown_revision = '0001'\n"
        f"def upgrade() -> None:\n    {step}\n"
    )
    return versions.parent


@pytest.fixture
async def administrator(databases: Databases) -> AsyncIterator[Any]:
    administrator = await asyncpg.connect(place_of(databases.url("postgresql")).dsn)
    yield administrator
    await administrator.close()


async def test_replicas_that_start_together_migrate_once(databases: Databases, tmp_path: Path) -> None:
    url, head = databases.url("postgresql"), later(tmp_path, "0002.0001")

    opened = await asyncio.gather(*(databases.reopen(url, head) for _ in range(4)))

    assert [await database.fetch_one(COUNT) for database in opened] == [(0,)] * 4


async def test_a_migration_gives_way_to_a_transaction_that_uses_its_table(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = databases.url("postgresql")
    database = await databases.reopen(url, MIGRATIONS)
    monkeypatch.setattr(migrating, "_PAUSE_SECONDS", 0.01)
    monkeypatch.setitem(connection.MIGRATING, "lock_timeout", "20ms")
    using_it, gave_way, waited = asyncio.Event(), asyncio.Event(), asyncio.sleep

    async def noticed(seconds: float) -> None:
        gave_way.set()
        await waited(seconds)

    async def long_unit(transaction: Transaction) -> None:
        await transaction.execute(PUT, ("before", 1, None))
        using_it.set()
        await gave_way.wait()
        await transaction.execute(PUT, ("after", 1, None))

    monkeypatch.setattr(asyncio, "sleep", noticed)
    using = asyncio.create_task(database.write(long_unit))
    await using_it.wait()
    migrated = await databases.reopen(url, later(tmp_path, "0002.0001"))
    await using

    assert await migrated.fetch_one(COUNT) == (2,)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_program_goes_on_with_what_a_newer_one_only_added_to(
    databases: Databases, kind: str, tmp_path: Path
) -> None:
    url = databases.url(kind)
    await (await open_database(url, migrations=later(tmp_path, "0002.0001"))).close()

    older = await databases.reopen(url, MIGRATIONS)

    assert await older.write(putting("thing")) == "thing"
    assert await older.fetch_one(COUNT) == (1,)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("revision", ["0002.0002", "0002"])
async def test_a_program_refuses_what_a_newer_one_took_something_away_from(
    databases: Databases, kind: str, revision: str, tmp_path: Path
) -> None:
    url = databases.url(kind)
    await (await open_database(url, migrations=later(tmp_path, revision))).close()

    with pytest.raises(NewerDatabaseError, match=revision):
        await open_database(url, migrations=MIGRATIONS)


async def test_a_role_that_may_not_create_its_schema_is_told_what_to_grant(
    databases: Databases, administrator: Any
) -> None:
    url = databases.url("postgresql")
    schema = place_of(url).schema
    role = f"guest_{schema}"
    await administrator.execute(f"CREATE ROLE {role} LOGIN")
    parts = urlsplit(url)
    query = {name: value for name, value in parse_qsl(parts.query) if name != "deadlock_timeout"}  # superusers' own
    theirs = urlunsplit(parts._replace(netloc=f"{role}@", query=urlencode(query)))

    with pytest.raises(UnfitDatabaseError) as caught:
        await open_database(theirs, migrations=MIGRATIONS)

    await administrator.execute(f"CREATE SCHEMA {schema} AUTHORIZATION {role}")
    opened = await databases.reopen(theirs, MIGRATIONS)
    assert f'CREATE SCHEMA "{schema}" AUTHORIZATION "{role}"' in caught.value.remedy
    assert await opened.fetch_one(COUNT) == (0,)
