"""What was promised is on disk first, so that no power cut takes it back: seen in the system calls of a running hub.

The killed processes of the other tests leave the kernel alive, and with it what nobody synced; only this shows the
difference. Each promise is also broken on purpose, and must be seen broken.
"""

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from libs.bus import render_nats_config
from tests.faults.desk import Desk, desk, print_figures
from tests.faults.syscalls import Trace, kept_between, kept_promises, traced
from tests.fixtures.ledger import Ledger, make_requests
from tests.fixtures.places import files_alone
from tests.fixtures.waiting import wait_for

pytestmark = [pytest.mark.xdist_group("hub"), files_alone]

IMPORTS, ROWS = 10, 20
DELIVERY_ACK = r"\$JS\.ACK\.[^ ]*DELIVERY[^+]*\+ACK"
BUS_CONFIRMATION = r'\\"stream\\":\\"DELIVERY\\", ?\\"seq\\"'
# A ticket that were repeated because an import takes long under strace would be counted too.
SETTINGS = {"CONTACTSYNC_OVERDUE_AFTER": "PT10M"}
WEAK_SQLITE = """
from libs.storage.sqlite import connection
connection._PRAGMAS["synchronous"] = 1
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """Of so many imports, how many of each promise were kept."""

    accepted: int
    """202: what was accepted is on ingestion's disk."""
    confirmed: int
    """The bus has the ticket: it is on its disk."""
    acknowledged: int
    """The ticket is done: what became of its deliveries is on delivery's disk."""


def import_under_trace(place: Desk, folder: Path) -> Kept:
    """One import after the other, each delivered before the next."""
    ledger, spans = Ledger(), list[tuple[float, float]]()
    pids = {name: place.pid(name) for name in ("ingestion", "nats", "delivery")}
    with traced(pids, folder) as traces:
        for done, request in enumerate(make_requests("power-loss", count=1 + IMPORTS, rows=ROWS), 1):
            began = time.time()
            ledger.send(place.api, request)
            spans.append((began, time.time()))
            place.drain(ledger)
            wait_for(partial(_is_acknowledged, traces["delivery"], done), what="the acknowledgement of the ticket")
    audit = ledger.audit(place.api)
    assert audit.clean, audit
    # The first is not counted: a log that begins has its head synced, whatever is set.
    accepted = kept_between(traces["ingestion"], file=r"/ingestion\.sqlite3-wal>", spans=spans[1:])
    confirmed = kept_promises(traces["nats"], file=r"/msgs/[^>]*\.blk>", words=BUS_CONFIRMATION)[1:]
    acknowledged = kept_promises(traces["delivery"], file=r"/delivery\.sqlite3-wal>", words=DELIVERY_ACK)[1:]
    assert len(confirmed) == len(acknowledged) == IMPORTS
    return Kept(accepted, sum(confirmed), sum(acknowledged))


def _is_acknowledged(trace: Trace, count: int) -> bool:
    return trace.told(DELIVERY_ACK) >= count


def show(what: str, kept: Kept) -> None:
    figures = {
        "202 after ingestion's sync": f"{kept.accepted} of {IMPORTS}",
        "confirmation of the bus after its sync": f"{kept.confirmed} of {IMPORTS}",
        "acknowledgement after delivery's sync": f"{kept.acknowledged} of {IMPORTS}",
    }
    print_figures(what, figures)


def test_what_is_promised_is_on_disk_first(tmp_path: Path) -> None:
    with desk(tmp_path / "hub", settings=SETTINGS) as place:
        kept = import_under_trace(place, tmp_path)

    show("As it is", kept)
    assert kept == Kept(IMPORTS, IMPORTS, IMPORTS)


def test_a_weakened_synchronous_is_seen(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(WEAK_SQLITE)
    with desk(tmp_path / "hub", settings=SETTINGS | {"PYTHONPATH": str(tmp_path)}) as place:
        kept = import_under_trace(place, tmp_path)

    show("SQLite with synchronous=NORMAL", kept)
    assert (kept.accepted, kept.acknowledged) == (0, 0)
    assert kept.confirmed == IMPORTS


def test_a_weakened_sync_interval_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def weak(**settings: object) -> str:
        config = render_nats_config(**settings)  # type: ignore[arg-type]  # as they were given
        return config.replace("sync_interval: always", "sync_interval: 2m")

    async def no_question(monitor_url: str) -> None:
        """At start the hub refuses such a server."""

    monkeypatch.setattr("libs.cli.stack.nats.render_nats_config", weak)
    monkeypatch.setattr("libs.cli.stack.hub.assert_synchronous", no_question)
    with desk(tmp_path / "hub", settings=SETTINGS) as place:
        kept = import_under_trace(place, tmp_path)

    show("NATS with sync_interval: 2m", kept)
    assert kept.confirmed == 0
    assert (kept.accepted, kept.acknowledged) == (IMPORTS, IMPORTS)
