"""What is refused at opening, in words, with nothing changed."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from libs.storage import (
    CorruptDatabaseError,
    Database,
    DatabaseRefusedError,
    NewerDatabaseError,
    SecondWriterError,
    StorageUnavailableError,
    Transaction,
    make_database,
    open_database,
)
from tests.fixtures.databases import Databases
from tests.fixtures.things import COUNT, FIND, MIGRATIONS, PUT, putting


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "things.sqlite3"


async def _open(path: Path) -> Database:
    return await open_database(f"sqlite:///{path}", migrations=MIGRATIONS)


@pytest.fixture
async def written(path: Path) -> Path:
    database = await _open(path)
    for index in range(200):
        await database.write(putting(f"thing {index}", index, b"x" * 500))
    await database.close()
    return path


async def test_a_second_opener_is_told_who_writes(written: Path) -> None:
    database = await _open(written)

    with pytest.raises(SecondWriterError) as caught:
        await _open(written)

    await database.close()
    assert str(os.getpid()) in str(caught.value)
    assert str(written) == caught.value.where


async def test_a_database_that_is_made_beforehand_is_there_when_it_is_opened(path: Path) -> None:
    make_database(f"sqlite:///{path}", migrations=MIGRATIONS)
    made = path.stat().st_size

    database = await _open(path)

    assert made > 0
    assert await database.fetch_one(COUNT) == (0,)
    await database.close()


def test_what_is_there_or_is_a_server_is_left_to_opening(written: Path) -> None:
    before = written.read_bytes()

    make_database(f"sqlite:///{written}", migrations=written / "nowhere")
    make_database("postgresql://nobody@127.0.0.1:9/none", migrations=MIGRATIONS)

    assert written.read_bytes() == before


async def test_the_lock_is_let_go_of_by_close(written: Path) -> None:
    for _ in range(3):
        database = await _open(written)
        assert await database.fetch_one(COUNT) == (200,)
        await database.close()


@pytest.mark.parametrize("damage", ["other", "truncated", "garbled", "header", "foreign"])
async def test_a_damaged_file_is_refused_untouched(written: Path, damage: str) -> None:
    content = bytearray(written.read_bytes())
    match damage:
        case "other":
            content[:] = b"this is a letter, no database" * 100
        case "truncated":
            del content[len(content) // 2 :]
        case "garbled":
            content[8192:16384] = bytes(8192)
        case "header":
            content[:4] = b"XXXX"
    written.write_bytes(content)
    if damage == "foreign":
        written.unlink()
        with closing(sqlite3.connect(written)) as connection:
            connection.execute("CREATE TABLE stranger (id)")
    before = written.read_bytes()

    with pytest.raises(CorruptDatabaseError) as caught:
        await _open(written)

    assert written.read_bytes() == before
    assert sorted(path.name for path in written.parent.iterdir()) == ["things.sqlite3", "things.sqlite3.lock"]
    assert "backup" in caught.value.remedy


async def test_a_newer_schema_is_refused_untouched(written: Path) -> None:
    with closing(sqlite3.connect(written)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0099'")
        connection.commit()
    before = written.read_bytes()

    with pytest.raises(NewerDatabaseError, match="0099"):
        await _open(written)

    assert written.read_bytes() == before


async def test_a_newer_schema_on_postgresql_is_refused(databases: Databases, tmp_path: Path) -> None:
    url = databases.url("postgresql")
    await (await open_database(url, migrations=MIGRATIONS)).close()

    with pytest.raises(NewerDatabaseError, match="0001"):
        await open_database(url, migrations=tmp_path)


async def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatabaseRefusedError, match="Create the folder"):
        await _open(tmp_path / "missing" / "things.sqlite3")


async def test_an_unknown_scheme_is_refused_without_its_credentials() -> None:
    with pytest.raises(DatabaseRefusedError) as caught:
        await open_database("mysql://user:secret@host/db", migrations=MIGRATIONS)

    assert "secret" not in str(caught.value)


async def test_a_server_that_is_not_there_is_unavailable_and_its_password_is_not_told() -> None:
    with pytest.raises(StorageUnavailableError) as caught:
        await open_database("postgresql://user:secret@127.0.0.1:1/db", migrations=MIGRATIONS)

    assert "secret" not in str(caught.value)


async def test_the_pragmas_are_what_the_safe_defaults_say(path: Path) -> None:
    database = await _open(path)
    connection = database.writer._connection  # type: ignore[attr-defined]  # the writer's own

    found = {
        name: connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "trusted_schema", "busy_timeout")
    }

    await database.close()
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "trusted_schema": 0,
        "busy_timeout": 5000,
    }


async def test_a_later_migration_is_applied_to_what_is_there(written: Path, tmp_path: Path) -> None:
    versions = tmp_path / "more" / "versions"
    versions.mkdir(parents=True)
    versions.joinpath("0001_things.py").write_text((MIGRATIONS / "versions" / "0001_things.py").read_text())
    versions.joinpath("0002_index.py").write_text(
        'from alembic import op\nrevision = "0002"\ndown_revision = "0001"\n'
        'def upgrade() -> None:\n    op.create_index("things_by_size", "things", ["size"])\n'
    )

    database = await open_database(f"sqlite:///{written}", migrations=versions.parent)

    assert await database.fetch_one(COUNT) == (200,)
    await database.close()
    with pytest.raises(NewerDatabaseError):
        await _open(written)


async def test_a_migration_that_fails_leaves_nothing(path: Path, tmp_path: Path) -> None:
    versions = tmp_path / "bad" / "versions"
    versions.mkdir(parents=True)
    versions.joinpath("0001_bad.py").write_text(
        'from alembic import op\nrevision = "0001"\ndown_revision = None\n'
        'def upgrade() -> None:\n    op.execute("CREATE TABLE half (id)")\n    op.execute("no SQL")\n'
    )

    with pytest.raises(Exception, match="no SQL"):
        await open_database(f"sqlite:///{path}", migrations=versions.parent)

    await (await _open(path)).close()


_KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from libs.storage import open_database
from tests.fixtures.things import MIGRATIONS, PUT, putting

async def main():
    database = await open_database(sys.argv[1], migrations=MIGRATIONS)
    await database.write(putting("whole"))
    async def unit(transaction):
        await transaction.execute_many(PUT, [(f"half {index}", index, bytes(5000)) for index in range(2000)])
        os.kill(os.getpid(), signal.SIGKILL)
    await database.write(unit)

asyncio.run(main())
"""


def _run_killed(url: str) -> int:
    return subprocess.run([sys.executable, "-c", _KILLED, url], check=False, timeout=60).returncode


async def test_a_unit_killed_half_way_leaves_nothing(databases: Databases, database_kind: str) -> None:
    url = databases.url(database_kind)

    returncode = _run_killed(url)

    database = await databases.reopen(url, MIGRATIONS)
    assert returncode == -signal.SIGKILL
    assert await database.fetch_one(COUNT) == (1,)
    assert await database.fetch_one(FIND, ("whole",)) == ("whole", 0, None)


async def test_a_database_closed_after_its_last_statement_wrote_many_rows_leaves_no_log(path: Path) -> None:
    async def unit(transaction: Transaction) -> None:
        await transaction.execute_many(PUT, [("one", 1, None), ("two", 2, None)])

    database = await _open(path)
    await database.write(unit)
    await database.close()

    assert not path.with_name(f"{path.name}-wal").exists()
