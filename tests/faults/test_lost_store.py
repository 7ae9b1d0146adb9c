"""JetStream's store is deleted while the hub is stopped, and deliveries wait in it."""

import signal
from dataclasses import asdict
from pathlib import Path
from shutil import rmtree

import pytest

from tests.faults.desk import Desk, desk, kill_tree, print_figures
from tests.fixtures.ledger import Ledger, make_requests

pytestmark = pytest.mark.xdist_group("hub")

ROWS = 300
# Half a minute is right where a delivery may be slow; here it would only be waited for.
SETTINGS = {"CONTACTSYNC_OVERDUE_AFTER": "PT5S"}


def fill_store(place: Desk, ledger: Ledger) -> None:
    """Leaves accepted work in every place where it can wait: in delivery's database, in the stream, in the outbox."""
    paused, ticketed, unpublished = make_requests("lost-store", count=3, rows=ROWS)
    place.api.call("POST", "/admin/v1/destinations/directory/pause")
    ledger.send(place.api, paused)
    place.send_signal_to_all("delivery", signal.SIGSTOP)
    ledger.send(place.api, ticketed)
    place.send_signal_to_all("nats", signal.SIGSTOP)
    ledger.send(place.api, unpublished)


def test_deleted_jetstream_store_loses_nothing(tmp_path: Path) -> None:
    ledger = Ledger()
    with desk(tmp_path, settings=SETTINGS) as place:
        fill_store(place, ledger)
        waiting = len(ledger.unfinished(place.api))
        kill_tree(place.hub.supervisor.pid)
    for name in place.programs("nats"):
        rmtree(place.hub.plan.nats.store(name))

    with desk(tmp_path, settings=SETTINGS, api_key=place.api_key) as place:
        place.api.call("POST", "/admin/v1/destinations/directory/resume")
        drained = place.drain(ledger)
        audit = ledger.audit(place.api)

    print_figures(
        "JetStream's store deleted", {"deliveries that waited": waiting, **asdict(audit), "drained after": drained}
    )
    assert waiting == len(ledger.requests)
    assert audit.clean, audit
