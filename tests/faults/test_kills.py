"""kill -9 of each process in turn, under an import by a client that retries."""

import random
from collections import defaultdict
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.faults.desk import Desk, desk, print_figures
from tests.fixtures.ledger import Ledger, Request, make_requests
from tests.fixtures.waiting import wait_for

pytestmark = pytest.mark.xdist_group("hub")

ROWS = 1000
LONGEST_SPREAD_SECONDS = 0.3


def run_round(place: Desk, pool: ThreadPoolExecutor, ledger: Ledger, requests: list[Request]) -> dict[str, float]:
    """Kills each process once, in random order, each while requests are on their way; gives how long each was away.

    The next request is sent while the one before may still be retrying.
    """
    victims = random.sample(place.programs(), k=len(place.programs()))
    sent: list[Future[None]] = []
    away = {}
    for number, request in enumerate(requests):
        sent.append(pool.submit(ledger.send, place.api, request))
        if number < len(victims):
            # Anywhere between the request's first byte and the delivery of its chunk.
            wait(sent[-1:], timeout=random.uniform(0, LONGEST_SPREAD_SECONDS))
            killed = place.kill(victims[number])
            away[victims[number]] = place.await_return(victims[number], killed=killed)
    for future in sent:
        future.result()
    return away


def run_rounds(data: Path, *, rounds: int) -> None:
    """Rounds of kills, then the audit of everything."""
    ledger, away = Ledger(), defaultdict[str, list[float]](list)
    with desk(data) as place, ThreadPoolExecutor(2) as pool:
        requests = len(place.programs())
        for number in range(rounds):
            batch = make_requests(f"round-{number}", count=requests, rows=ROWS, first=number * requests * ROWS)
            for name, seconds in run_round(place, pool, ledger, batch).items():
                away[name].append(seconds)
        drained = place.drain(ledger)
        healthy = wait_for(place.all_healthy, what="that all processes are healthy")
        ledger.replay(place.api)
        audit = ledger.audit(place.api)
    print_figures(
        f"kill -9 of each process, {rounds} rounds",
        {
            "kills": sum(map(len, away.values())),
            **{f"{name} was away at most": max(seconds) for name, seconds in away.items()},
            **asdict(audit),
            "drained after": drained,
            "all healthy after": healthy,
        },
    )
    assert audit.clean, audit


def test_kill_of_each_process_loses_and_doubles_nothing(tmp_path: Path) -> None:
    run_rounds(tmp_path, rounds=1)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_five_rounds_of_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    run_rounds(tmp_path, rounds=5)
