"""A hub with jobs in every state moves from SQLite to PostgreSQL, although the move is killed, and goes on there."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from libs.cli.stack.folder import DataFolder
from tests.faults.desk import Desk, desk, print_figures
from tests.faults.states import EGRESS, EXPECTED, book_of, bring_into_every_state, ended, receivers, settle, states
from tests.fixtures.databases import PostgresqlServer
from tests.fixtures.files import contents
from tests.fixtures.places import ask, files_alone
from tests.fixtures.waiting import look

pytestmark = [pytest.mark.xdist_group("hub"), files_alone]

COMMAND = str(Path(sys.executable).parent / "contactsync")


def migrate_data(data: Path, url: str) -> "subprocess.Popen[str]":
    """The URL goes by the environment: a command line can be read by all."""
    return subprocess.Popen(
        [COMMAND, "migrate-data", "--data", str(data), "--json"],
        env=os.environ | {"CONTACTSYNC_POSTGRES_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def tables_begun(url: str) -> int:
    """How far a copy is; 0 before it begins."""

    async def count(connection: Any) -> int:
        if await connection.fetchval("SELECT to_regclass('contactsync_copy.progress')") is None:
            return 0
        begun: int = await connection.fetchval("SELECT count(*) FROM contactsync_copy.progress")
        return begun

    return ask(url, count)


def kill_half_way(data: Path, url: str) -> int:
    """Kills a move once the first tables are there; gives how many."""
    with migrate_data(data, url) as process:
        begun = look(lambda: tables_begun(url) or None, what="the first table")
        process.send_signal(signal.SIGKILL)
    return begun


def moved(data: Path, url: str) -> subprocess.CompletedProcess[str]:
    """A move to its end."""
    with migrate_data(data, url) as process:
        told, complaints = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, told, complaints)


def whoever_shows(text: str, place: Desk) -> set[str]:
    """Processes of the hub by their arguments and environments, and files that it writes."""
    supervisor = psutil.Process(place.hub.supervisor.pid)
    family = [supervisor, *supervisor.children(recursive=True)]
    processes = {each.name() for each in family if text in repr((each.cmdline(), each.environ()))}
    root = place.hub.plan.folder.root
    files = contents(root / "run") | contents(root / "log")
    return processes | {file.name for file, raw in files.items() if text.encode() in raw}


def test_everything_is_there_afterwards_and_what_was_pending_is_delivered(
    tmp_path: Path, postgresql_server: PostgresqlServer
) -> None:
    data, taken = tmp_path / "data", postgresql_server.new_database()
    url = postgresql_server.new_database()
    with receivers() as found:
        with desk(data, settings=EGRESS) as place:
            ledger = bring_into_every_state(place, found)
            while_running = moved(data, url)
            before, book = states(place.api), book_of(place.api)
        begun = kill_half_way(data, url)
        told = moved(data, url)
        again = moved(data, taken)
        with desk(data, settings=EGRESS, api_key=place.api_key) as there:
            after = states(there.api)
            settle(there, found)
            ended_as = ended(there, found)
            ledger.replay(there.api)

            assert book_of(there.api) == book
            assert whoever_shows(str(urlsplit(url).password), there) == set()
    figures = {"tables begun when killed": begun, "rows": json.loads(told.stdout)["rows"], "doubled": found.twice()}
    print_figures("From SQLite to PostgreSQL", figures)
    assert told.returncode == 0, told.stderr
    assert (while_running.returncode, "a hub runs" in while_running.stderr) == (1, True)
    assert (again.returncode, "is on PostgreSQL already" in again.stderr) == (1, True)
    assert after == before
    assert ended_as == EXPECTED
    assert found.twice() == 0


def test_a_database_that_holds_anything_else_is_left_alone(tmp_path: Path, postgresql_server: PostgresqlServer) -> None:
    url = postgresql_server.new_database()
    first, other = tmp_path / "first", tmp_path / "other"
    for data in (first, other):
        DataFolder(data).prepare()
        DataFolder(data).database_file("idempotency").touch()
    moved(first, url)

    refused = moved(other, url)

    assert refused.returncode == 1
    assert "holds another hub's data already (idempotency)" in refused.stderr
    assert not DataFolder(other).postgres_url.exists()
