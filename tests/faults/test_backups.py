"""A hub is backed up while it works, and lost; what it had accepted before goes on from the backup elsewhere."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.faults.desk import Desk, desk, kill_tree, patient, print_figures
from tests.faults.states import EGRESS, EXPECTED, Receivers, book_of, bring_into_every_state, ended, receivers, settle
from tests.fixtures.databases import PostgresqlServer
from tests.fixtures.ledger import Ledger, Request, make_requests
from tests.fixtures.places import ON_POSTGRESQL, OUTGROWN
from tests.fixtures.waiting import wait_for

pytestmark = pytest.mark.xdist_group("hub")

COMMAND = str(Path(sys.executable).parent / "contactsync")
REQUESTS, ROWS, BEFORE = 60, 50, 20
FIRST_PHONE = 100_000


def run(*words: str) -> Any:
    """What the command says in JSON."""
    done = subprocess.run([COMMAND, *words, "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def back_up_under_load(place: Desk, backup: Path, requests: list[Request]) -> dict[str, bytes]:
    """Backs up while requests come; gives what those were answered that had been accepted before."""
    ledger = Ledger()
    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(ledger.send, place.api, request) for request in requests]
        wait_for(lambda: len(ledger.answers) >= BEFORE, what="enough accepted requests")
        before = dict(ledger.answers)
        run("backup", str(backup), "--data", str(place.hub.plan.folder.root))
        for future in sent:
            future.result()
    return before


def send_all_again(place: Desk, requests: list[Request]) -> Ledger:
    """As clients do who know nothing of what happened; returns when all is done."""
    ledger = Ledger()
    with closing(patient(place.hub.url, place.api_key)) as api:
        for request in requests:
            ledger.send(api, request)
    place.drain(ledger)
    return ledger


def lose(place: Desk) -> None:
    """All at once, as with the machine."""
    kill_tree(place.hub.supervisor.pid)


def delivered_after_all(place: Desk, found: Receivers) -> dict[str, Any]:
    settle(place, found)
    counted = ended(place, found)
    counted.pop("directory")  # that of the load is compared by phone
    return dict(counted)


def test_what_was_accepted_before_the_backup_is_all_there(tmp_path: Path, postgresql_server: PostgresqlServer) -> None:
    """Onto the other kind of database than it came from, unless all hubs of the run have replicas."""
    backup, elsewhere = tmp_path / "hub.tar.gz", tmp_path / "elsewhere"
    requests = make_requests("backup", count=REQUESTS, rows=ROWS, first=FIRST_PHONE)
    there = ["--postgres", postgresql_server.new_database()] if OUTGROWN or not ON_POSTGRESQL else []
    with receivers() as found:
        with desk(tmp_path / "lost", settings=EGRESS) as place:
            ledger = bring_into_every_state(place, found)
            before = back_up_under_load(place, backup, requests)
            lose(place)
        told = run("restore", str(backup), "--data", str(elsewhere), *there)
        with desk(elsewhere, settings=EGRESS, api_key=place.api_key) as again:
            others = delivered_after_all(again, found)
            known = book_of(again.api)
            repeated = send_all_again(again, requests)
            book = book_of(again.api)
            ledger.replay(again.api)

    accepted = {request.key: request.phones for request in requests}
    promised = frozenset().union(*(accepted[key] for key in before))
    everything = frozenset().union(*accepted.values(), *(each.phones for each in ledger.requests.values()))
    figures = {
        "accepted before the backup": len(promised),
        "of them lost": len(promised - known.keys()),
        "of all, after clients repeated, lost": len(everything - book.keys()),
        "in the book twice": sum(count > 1 for count in book.values()),
        "taken twice by a receiver": found.twice(),
    }
    print_figures("Backed up under load, and lost", figures)
    assert list(figures.values())[1:] == [0, 0, 0, 0]
    assert book.keys() == everything
    assert {key: repeated.answers[key] for key in before} == before
    assert others == {name: counts for name, counts in EXPECTED.items() if name != "directory"}
    assert told["paused_destinations"] == [found.ids["away"]]


def test_a_backup_goes_nowhere_where_something_is(tmp_path: Path) -> None:
    hub, backup = tmp_path / "hub", tmp_path / "backup"
    (hub / "keys").mkdir(parents=True)
    (hub / "keys" / "service.key").write_text("ab" * 32)
    (hub / "credentials.json").write_text("{}")

    told = run("backup", str(backup), "--data", str(hub))
    refused = [
        subprocess.run([COMMAND, *words, "--data", str(hub)], capture_output=True, text=True, check=False).stderr
        for words in (("backup", str(backup)), ("restore", str(backup)))
    ]

    assert told["databases"] == {}
    assert (backup / "keys" / "service.key").stat().st_mode & 0o777 == 0o600
    assert "is there already" in refused[0]
    assert "holds a hub's data already" in refused[1]
