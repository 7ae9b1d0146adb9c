"""An import while the three servers of the bus are killed in turn, cut off from each other, and killed at once."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from libs.bus import DELIVERY, look_at_streams
from libs.cli.stack.shape import Shape
from tests.faults.desk import Desk, desk, print_figures
from tests.fixtures.ledger import Ledger, make_requests
from tests.fixtures.lines import Lines, rerouted
from tests.fixtures.waiting import look, wait_for

pytestmark = pytest.mark.xdist_group("hub")

CLUSTER = Shape(nats_cluster=True)
# Half a minute is right where a delivery may be slow; here it would only be waited for.
SETTINGS = {"CONTACTSYNC_OVERDUE_AFTER": "PT5S"}
PARTED_SECONDS = 8


@pytest.fixture
def lines() -> Iterator[Lines]:
    with rerouted() as cut:
        yield cut


def kill_in_turn(place: Desk) -> None:
    """Each server of the bus once, the next when the one before is back."""
    for name in place.hub.plan.nats.names:
        place.await_return(name, killed=place.kill(name))
        place.await_settled(name)


def part(place: Desk, lines: Lines) -> None:
    """The server that leads the tickets and another one do not hear each other; the third hears both."""
    led_by = look(lambda: leader(place), what="a leader")
    lines.cut(led_by, next(name for name in place.hub.plan.nats.names if name != led_by))
    threading.Event().wait(PARTED_SECONDS)  # longer than a service bears with a server that does not answer
    lines.mend()


def leader(place: Desk) -> str | None:
    streams = asyncio.run(look_at_streams(list(place.hub.plan.nats.monitors().values())))
    return next((each.leader for each in streams if each.name == DELIVERY.name and each.leader), None)


def kill_all(place: Desk) -> None:
    killed = {name: place.kill(name) for name in place.hub.plan.nats.names}
    for name, pid in killed.items():
        place.await_return(name, killed=pid)


def harm(place: Desk, lines: Lines, *, rounds: int) -> None:
    for _ in range(rounds):
        kill_in_turn(place)
        part(place, lines)
        kill_all(place)


def import_under_harm(data: Path, lines: Lines, *, rounds: int, rows: int) -> None:
    """Imports for as long as the harm goes on, then the audit of everything."""
    ledger = Ledger()
    with desk(data, settings=SETTINGS, shape=CLUSTER) as place, ThreadPoolExecutor(1) as pool:
        harming = pool.submit(harm, place, lines, rounds=rounds)
        for number in count():
            (request,) = make_requests(f"under-harm-{number}", count=1, rows=rows, first=number * rows)
            ledger.send(place.api, request)
            if harming.done():
                break
            threading.Event().wait(0.2)
        harming.result()
        drained = place.drain(ledger)
        wait_for(place.all_healthy, what="that all processes are healthy")
        ledger.replay(place.api)
        audit = ledger.audit(place.api)
    figures: dict[str, Any] = {**asdict(audit), "drained after": drained}
    print_figures(f"three JetStream servers, {rounds} rounds of harm", figures)
    assert audit.clean, audit


def test_kills_and_a_partition_of_the_cluster_lose_and_double_nothing(tmp_path: Path, lines: Lines) -> None:
    import_under_harm(tmp_path, lines, rounds=1, rows=100)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_five_rounds_of_kills_and_partitions_lose_and_double_nothing(tmp_path: Path, lines: Lines) -> None:
    import_under_harm(tmp_path, lines, rounds=5, rows=1000)
