"""The service as a process: what it says when it cannot start, and its tables as the migrations make them."""

import os
import subprocess
import sys
from pathlib import Path

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy.dialects import sqlite

from services.directory.main import MIGRATIONS, running
from services.directory.settings import Settings
from services.directory.store.tables import DirectoryTable
from tests.fixtures.nats import NatsServer


def _run(**environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CONTACTSYNC_")}
    command = [sys.executable, "-m", "services.directory.main"]
    return subprocess.run(command, env=clean | environment, capture_output=True, text=True, timeout=60, check=False)


def test_missing_settings_are_named_in_one_line() -> None:
    ended = _run()

    assert ended.returncode == os.EX_CONFIG
    (line,) = ended.stderr.splitlines()
    assert "CONTACTSYNC_DATABASE_URL" in line
    assert "CONTACTSYNC_SERVICE_KEY_FILE" in line


def test_a_bad_key_is_told_without_itself(tmp_path: Path) -> None:
    key_file = tmp_path / "service.key"
    key_file.write_text("not hex")

    ended = _run(
        CONTACTSYNC_DATABASE_URL=f"sqlite:///{tmp_path}/directory.sqlite3",
        CONTACTSYNC_SERVICE_KEY_FILE=str(key_file),
        CONTACTSYNC_PEPPER_FILE=str(key_file),
        CONTACTSYNC_MASTER_KEY_FILE=str(key_file),
        CONTACTSYNC_NATS_URL="nats://127.0.0.1:4222",
    )

    assert ended.returncode == os.EX_CONFIG
    assert "CONTACTSYNC_SERVICE_KEY_FILE" in ended.stderr
    assert "not hex" not in ended.stderr


async def test_a_server_comes_up_on_a_fresh_database(tmp_path: Path, nats_server: NatsServer) -> None:
    key_file = tmp_path / "service.key"
    key_file.write_text(bytes(range(32)).hex())
    settings = Settings(
        listen="127.0.0.1:0",
        database_url=f"sqlite:///{tmp_path}/directory.sqlite3",
        service_key_file=key_file,
        pepper_file=key_file,
        master_key_file=key_file,
        nats_url=nats_server.url,
    )

    async with running(settings) as server:
        await server.start()
        assert server.port > 0
        await server.stop()


def test_the_migrations_make_the_tables_that_the_store_speaks_to() -> None:
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        with Operations.context(MigrationContext.configure(connection)):
            for script in reversed([*ScriptDirectory(str(MIGRATIONS)).walk_revisions()]):
                script.module.upgrade()
        inspector = sa.inspect(connection)
        made = {name: _made(inspector, name) for name in inspector.get_table_names()}
    engine.dispose()

    assert made == {table.name: _spoken(table) for table in DirectoryTable.metadata.sorted_tables}


def _made(inspector: sa.Inspector, name: str) -> tuple[set[tuple[str, str, bool]], list[str]]:
    columns = {(each["name"], str(each["type"]), each["nullable"]) for each in inspector.get_columns(name)}
    return columns, inspector.get_pk_constraint(name)["constrained_columns"]


def _spoken(table: sa.Table) -> tuple[set[tuple[str, str, bool]], list[str]]:
    columns = {(each.name, each.type.compile(sqlite.dialect()), bool(each.nullable)) for each in table.columns}
    return columns, [each.name for each in table.primary_key.columns]
