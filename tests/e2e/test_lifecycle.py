"""Starting and stopping: what can be in the way, and what is left behind."""

import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from libs.cli.stack.hub import Hub
from tests.fixtures.places import UP_OPTIONS, choose_place, files_alone
from tests.fixtures.waiting import PATIENCE_SECONDS

COMMAND = str(Path(sys.executable).parent / "contactsync")
READY_SECONDS = 240


def up(*arguments: str) -> subprocess.CompletedProcess[str]:
    """An ``up`` that is expected to refuse."""
    return subprocess.run(
        [COMMAND, "up", *arguments], capture_output=True, text=True, check=False, timeout=READY_SECONDS
    )


@contextmanager
def started(data: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``contactsync up`` once its ready line is out, with that line."""
    choose_place(data)
    command = [COMMAND, "up", "--data", str(data), "--port", "0", *UP_OPTIONS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline()
        finally:
            process.terminate()


def wait_gone(processes: list[psutil.Process]) -> None:
    """Returns when none of the processes runs. They end one after the other, and a replica lingers for two seconds."""
    _, alive = psutil.wait_procs(processes, timeout=PATIENCE_SECONDS)
    assert alive == []


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_up_says_one_ready_line_and_leaves_nothing_running(tmp_path: Path, stop: signal.Signals) -> None:
    with started(tmp_path / "data") as (process, line):
        family = psutil.Process(process.pid).children(recursive=True)
        url = line.split()[4]
        health = httpx.get(f"{url}/healthz", timeout=30, trust_env=False)
        process.send_signal(stop)
        code = process.wait(timeout=READY_SECONDS)

    assert line.startswith("contactsync is ready at http://127.0.0.1:")
    assert health.status_code == 200
    assert code == 0
    assert len(family) >= 9
    wait_gone(family)


def test_killed_up_takes_its_processes_with_it(tmp_path: Path) -> None:
    with started(tmp_path / "data") as (process, _):
        family = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait(timeout=READY_SECONDS)

    wait_gone(family)


def test_data_survives_a_restart(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with started(data) as (process, _):
        first = (data / "credentials.json").read_text()
        process.terminate()
        process.wait(timeout=READY_SECONDS)
    with started(data):
        second = (data / "credentials.json").read_text()

    assert first == second
    assert (data / "credentials.json").stat().st_mode & 0o777 == 0o600


def test_second_up_on_the_same_data_is_refused(hub: Hub) -> None:
    refused = up("--data", str(hub.plan.folder.root), "--port", "0")

    assert refused.returncode == 1
    assert f"runs on {hub.plan.folder.root} already, at {hub.url}" in refused.stderr


def test_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = up("--data", str(tmp_path / "data"), "--port", str(port))

    assert refused.returncode == 1
    assert f"port {port} is taken" in refused.stderr


def test_unusable_data_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")

    refused = up("--data", str(tmp_path / "file" / "data"), "--port", "0")

    assert refused.returncode == 1
    assert "cannot be used" in refused.stderr
    assert "Traceback" not in refused.stderr


@files_alone
@pytest.mark.parametrize("fault", ["corrupt", "newer"])
def test_database_that_cannot_be_opened_is_left_as_it_is(tmp_path: Path, fault: str) -> None:
    data = tmp_path / "data"
    with started(data) as (process, _):
        process.terminate()
        process.wait(timeout=READY_SECONDS)
    file = data / "db" / "directory.sqlite3"
    if fault == "corrupt":
        file.write_bytes(b"this is no database" * 1000)
    else:
        with sqlite3.connect(file) as database:
            database.execute("UPDATE alembic_version SET version_num = '9999'")
    before = file.read_bytes()

    began = time.monotonic()
    refused = up("--data", str(data), "--port", "0")

    assert refused.returncode == 1
    assert "directory" in refused.stderr
    assert file.read_bytes() == before
    assert time.monotonic() - began < READY_SECONDS
