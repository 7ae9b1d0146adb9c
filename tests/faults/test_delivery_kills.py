"""kill -9 of delivery or of JetStream again and again, while contacts are imported into the contact book."""

import random
import signal
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.faults.desk import Desk, desk, print_figures
from tests.fixtures.ledger import Ledger, Request, make_requests
from tests.fixtures.waiting import wait_for

pytestmark = pytest.mark.xdist_group("hub")

ROWS = 100
LONGEST_SPREAD_SECONDS = 0.3
# Half a minute is right where a delivery may be slow; here it would only be waited for.
SETTINGS = {"CONTACTSYNC_OVERDUE_AFTER": "PT5S"}


def kill_under_load(place: Desk, victim: str, ledger: Ledger, requests: list[Request], *, kills: int) -> float:
    """As many requests at each kill; gives how long the victim was away at most."""
    away = 0.0
    with ThreadPoolExecutor(4) as pool:
        for batch in batches(requests, kills):
            for program in place.programs(victim):
                place.await_settled(program)
            sent = [pool.submit(ledger.send, place.api, request) for request in batch]
            # Anywhere between the first request's first byte and the delivery of the last one's chunk.
            wait(sent, timeout=random.uniform(0, LONGEST_SPREAD_SECONDS))
            away = max(away, place.await_all(place.kill_all(victim)))
            for future in sent:
                future.result()
    return away


def batches(requests: list[Request], count: int) -> list[list[Request]]:
    size = len(requests) // count
    return [requests[at : at + size] for at in range(0, len(requests), size)]


def run_kills(data: Path, victim: str, *, kills: int, requests: int, loses_its_store: bool = False) -> None:
    ledger = Ledger()
    with desk(data, settings=SETTINGS) as place:
        batch = make_requests(f"kills-of-{victim}", count=requests, rows=ROWS)
        away = kill_under_load(place, victim, ledger, batch, kills=kills)
        if loses_its_store:
            lose_store(place, ledger, first=requests * ROWS)
        drained = place.drain(ledger)
        healthy = wait_for(place.all_healthy, what="that all processes are healthy")
        ledger.replay(place.api)
        audit = ledger.audit(place.api)
    figures = {"kills": kills, "its store deleted": loses_its_store, "it was away at most": away}
    figures |= {**asdict(audit), "drained after": drained, "all healthy after": healthy}
    print_figures(f"kill -9 of {victim} under load", figures)
    assert audit.clean, audit


def lose_store(place: Desk, ledger: Ledger, *, first: int) -> None:
    """Takes JetStream's store away under tickets that nobody has taken yet."""
    (request,) = make_requests("lost-store", count=1, rows=ROWS, first=first)
    place.send_signal_to_all("delivery", signal.SIGSTOP)
    ledger.send(place.api, request)
    place.send_signal_to_all("nats", signal.SIGSTOP)
    for name in place.programs("nats"):
        folder = place.hub.plan.nats.store(name)
        folder.rename(folder.with_name(f"{folder.name}-that-was-lost"))
    place.await_all(place.kill_all("nats"))
    place.send_signal_to_all("delivery", signal.SIGCONT)


def test_kills_of_delivery_lose_and_double_nothing(tmp_path: Path) -> None:
    run_kills(tmp_path, "delivery", kills=2, requests=20)


def test_kills_of_jetstream_and_the_loss_of_its_store_lose_and_double_nothing(tmp_path: Path) -> None:
    run_kills(tmp_path, "nats", kills=3, requests=18, loses_its_store=True)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_fifty_kills_of_delivery_under_ten_thousand_contacts_lose_and_double_nothing(tmp_path: Path) -> None:
    run_kills(tmp_path, "delivery", kills=50, requests=100)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_twenty_kills_of_jetstream_and_the_loss_of_its_store_lose_and_double_nothing(tmp_path: Path) -> None:
    run_kills(tmp_path, "nats", kills=20, requests=100, loses_its_store=True)
