"""The process: what keeps it from starting, and how it stops."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest


def environment(tmp_path: Path, **overrides: str) -> dict[str, str]:
    key = tmp_path / "service.key"
    key.write_text("ab" * 32)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CONTACTSYNC_")}
    ours = {
        "CONTACTSYNC_LISTEN": "127.0.0.1:0",
        "CONTACTSYNC_DATABASE_URL": f"sqlite:///{tmp_path}/ingestion.sqlite3",
        "CONTACTSYNC_SERVICE_KEY_FILE": str(key),
        # Nobody listens there: imports are accepted and read without the bus.
        "CONTACTSYNC_NATS_URL": "nats://a:b@127.0.0.1:9",
    }
    return {**clean, **ours, **overrides}


def start(variables: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "services.ingestion.main"], env=variables, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("CONTACTSYNC_NATS_URL", "", "CONTACTSYNC_NATS_URL"),
        ("CONTACTSYNC_SERVICE_KEY_FILE", "/nowhere", "/nowhere"),
        ("CONTACTSYNC_SWEEP_INTERVAL", "0.1", "CONTACTSYNC_SWEEP_INTERVAL"),
    ],
)
def test_what_keeps_it_from_starting_is_told_in_one_line(tmp_path: Path, variable: str, value: str, told: str) -> None:
    with start(environment(tmp_path, **{variable: value})) as process:
        _, errors = process.communicate(timeout=60)

    assert process.returncode == os.EX_CONFIG
    assert told in errors
    assert errors.count("\n") == 1


def test_it_is_ready_without_the_bus_and_stops_cleanly_when_asked(tmp_path: Path) -> None:
    with start(environment(tmp_path)) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if '"serving": true' in line or '"serving":true' in line:
                break
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)

    assert process.returncode == 0
    assert not (tmp_path / "ingestion.sqlite3-wal").exists()
