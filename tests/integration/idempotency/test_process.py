"""The process: what keeps it from starting, and how it stops."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest


def environment(tmp_path: Path, **overrides: str) -> dict[str, str]:
    key = tmp_path / "service.key"
    key.write_text("ab" * 32)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CONTACTSYNC_")}
    ours = {
        "CONTACTSYNC_LISTEN": "127.0.0.1:0",
        "CONTACTSYNC_DATABASE_URL": f"sqlite:///{tmp_path}/idempotency.sqlite3",
        "CONTACTSYNC_SERVICE_KEY_FILE": str(key),
    }
    return {**clean, **ours, **overrides}


def start(variables: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "services.idempotency.main"], env=variables, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("CONTACTSYNC_DATABASE_URL", "", "CONTACTSYNC_DATABASE_URL"),
        ("CONTACTSYNC_SERVICE_KEY_FILE", "/nowhere", "/nowhere"),
        ("CONTACTSYNC_PURGE_INTERVAL", "0.1", "CONTACTSYNC_PURGE_INTERVAL"),
    ],
)
def test_what_keeps_it_from_starting_is_told_in_one_line(tmp_path: Path, variable: str, value: str, told: str) -> None:
    with start(environment(tmp_path, **{variable: value})) as process:
        _, errors = process.communicate(timeout=60)

    assert process.returncode == os.EX_CONFIG
    assert told in errors
    assert errors.count("\n") == 1


def test_a_newer_database_is_for_the_operator_and_a_missing_folder_may_yet_come(tmp_path: Path) -> None:
    database = tmp_path / "idempotency.sqlite3"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")
        connection.commit()

    with (
        start(environment(tmp_path)) as newer,
        start(environment(tmp_path, CONTACTSYNC_DATABASE_URL="sqlite:////nowhere/at/all.sqlite3")) as missing,
    ):
        _, newer_errors = newer.communicate(timeout=60)
        _, missing_errors = missing.communicate(timeout=60)

    assert (newer.returncode, missing.returncode) == (os.EX_CONFIG, 1)
    assert "9999" in newer_errors
    assert "Create the folder" in missing_errors


def test_it_stops_cleanly_when_asked(tmp_path: Path) -> None:
    with start(environment(tmp_path)) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if '"serving": true' in line or '"serving":true' in line:
                break
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)

    assert process.returncode == 0
    assert not (tmp_path / "idempotency.sqlite3-wal").exists()
