"""source_polling and ingestion are killed while a source is read; then its changes are read."""

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.cli.stack.ports import choose_free
from tests.fakes.contact_source import make_contact
from tests.faults.desk import Desk, desk, print_figures
from tests.fixtures.waiting import wait_for

pytestmark = pytest.mark.xdist_group("hub")

VICTIMS = ("source_polling", "ingestion")
SETTINGS = {"CONTACTSYNC_EGRESS_ALLOW": "127.0.0.0/8"}
BOOK = "SELECT last_name || ' ' || count(*) FROM contacts WHERE deleted_at IS NULL GROUP BY last_name"


@contextmanager
def contact_source(contacts: int) -> Iterator[str]:
    """A source of so many contacts in a process of its own."""
    port = choose_free(["source"])["source"]
    command = [sys.executable, "-m", "tests.fakes.contact_source", "--port", str(port), "--contacts", str(contacts)]
    with subprocess.Popen(command) as process:
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: _listens(url), what="the source")
        yield url
        process.terminate()


def _listens(url: str) -> bool:
    try:
        return httpx.get(f"{url}/token", trust_env=False).status_code == httpx.codes.UNAUTHORIZED
    except httpx.TransportError:
        return False


def add_source(place: Desk, url: str, *, page_size: int, rate: float) -> str:
    settings = {"url": url, "client_id": "test_id", "page_size": page_size, "rate": rate, "interval": "86400s"}
    body = {"kind": "SOURCE_KIND_CUSTOM", "settings": settings, "secrets": {"client_secret": "test_secret"}}
    made: str = place.api.call("POST", "/admin/v1/sources", body=body)["source"]["id"]
    return made


class Reading:
    """A run, as the hub tells of it."""

    def __init__(self, place: Desk, source_id: str) -> None:
        self._place = place
        self._path = f"/admin/v1/sources/{source_id}"
        self.run_id = place.api.call("POST", f"{self._path}/sync", body={})["run"]["run_id"]

    def told(self) -> dict[str, Any]:
        run: dict[str, Any] = self._place.api.call("GET", f"{self._path}/runs/{self.run_id}")["run"]
        return run

    @property
    def is_open(self) -> bool:
        return self.told()["status"] in {"RUN_STATUS_RUNNING", "RUN_STATUS_WAITING"}

    def ended(self) -> dict[str, Any]:
        wait_for(lambda: not self.is_open, what="the end of the run")
        return self.told()


def kill_while_reading(place: Desk, reading: Reading, *, kills: int, pages: int) -> list[float]:
    """Kills at random pages of the run; gives how long each victim was away."""
    away = []
    for page in sorted(random.sample(range(pages), k=kills)):
        wait_for(lambda: reading.told().get("pages", 0) >= page, what=f"page {page}")  # noqa: B023 - it is called at once
        victim = random.choice(VICTIMS)
        away.append(place.await_all(place.kill_all(victim)))
    return away


def await_book(place: Desk, names: set[str]) -> float:
    """Returns when the book has each of these contacts once, and nobody else."""
    wanted = {f"{name} 1" for name in names}
    return wait_for(lambda: place.look("directory", BOOK) == wanted, what="the book that was expected")


def counts(run: dict[str, Any]) -> dict[str, int]:
    return {
        name: run.get(name, 0) for name in ("pages", "seen", "changed", "unchanged", "skipped", "deleted", "retries")
    }


def run_kills(
    data: Path, *, contacts: int, kills: int, page_size: int, rate: float, updates: int, deletes: int
) -> None:
    numbers = range(1, contacts + 1)
    with contact_source(contacts) as url, desk(data, settings=SETTINGS) as place:
        source_id = add_source(place, url, page_size=page_size, rate=rate)

        whole = Reading(place, source_id)
        away = kill_while_reading(place, whole, kills=kills, pages=contacts // page_size)
        read = whole.ended()
        delivered = await_book(place, {make_contact(number)["last_name"] for number in numbers})
        httpx.post(f"{url}/change", params={"updates": updates, "deletes": deletes}, trust_env=False, timeout=60)
        changed = Reading(place, source_id).ended()
        now = {make_contact(each, mark="-changed" if each <= updates else "")["last_name"] for each in numbers}
        gone = {make_contact(each)["last_name"] for each in numbers[contacts - deletes :]}
        in_book = await_book(place, now - gone)

    print_figures(
        f"{contacts} contacts, {kills} kills of source_polling and ingestion",
        {
            "away at most": max(away),
            "first run": counts(read),
            "its duration": float(read["duration_s"]),
            "in the book after": delivered,
            "delta": counts(changed),
            "in the book then after": in_book,
        },
    )
    assert read["status"] == changed["status"] == "RUN_STATUS_COMPLETED", (read, changed)
    assert (read["seen"], read["changed"]) == (contacts, contacts)
    assert (changed["changed"], changed["deleted"], changed.get("unchanged", 0)) == (updates, deletes, 0)


def test_kills_while_a_source_is_read_lose_and_double_nothing(tmp_path: Path) -> None:
    run_kills(tmp_path, contacts=5000, kills=4, page_size=100, rate=20, updates=50, deletes=20)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_thirty_kills_under_a_hundred_thousand_contacts_lose_and_double_nothing(tmp_path: Path) -> None:
    run_kills(tmp_path, contacts=100_000, kills=30, page_size=200, rate=20, updates=500, deletes=200)
