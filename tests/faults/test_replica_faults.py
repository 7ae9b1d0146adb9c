"""A hub with all that it may have, while contacts come in: replicas are killed, or restarted in turn, or all fails."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from libs.cli.stack.hub import Hub
from libs.cli.stack.plan import SERVICES
from libs.cli.stack.rolling import RunningPrograms
from libs.cli.stack.shape import Shape
from tests.faults.desk import Desk, desk, make_partner, patient, print_figures
from tests.faults.hasty import PARTNERS, Hasty, importing
from tests.faults.test_cluster_kills import kill_in_turn, part
from tests.fixtures.databases import PostgresqlServer, own_postgresql
from tests.fixtures.ledger import Ledger
from tests.fixtures.lines import Lines, rerouted
from tests.fixtures.places import put_on
from tests.fixtures.waiting import wait_for

pytestmark = pytest.mark.xdist_group("hub")

ROWS = 50
# Half a minute is right where a delivery may be slow; here it would only be waited for.
SETTINGS = {"CONTACTSYNC_OVERDUE_AFTER": "PT5S"}
OUTGROWN = Shape(replicas=2, nats_cluster=True, tls=True)
IN_PROGRESS = "503, then 409"
"""The replica that began an import was killed with it: the key's lease goes on for some seconds, and says so."""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlServer]:
    with own_postgresql() as own:
        yield own


@pytest.fixture(scope="module")
def lines() -> Iterator[Lines]:
    with rerouted() as cut:
        yield cut


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, server: PostgresqlServer, lines: Lines) -> Iterator[Desk]:
    data = tmp_path_factory.mktemp("outgrown")
    put_on(server, data)
    with desk(data, settings=SETTINGS, shape=OUTGROWN) as running:
        yield running


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    """Of everything that the partners of this place send: the audit knows the whole book."""
    return Ledger()


def audit(title: str, hasty: Hasty, figures: dict[str, Any]) -> None:
    place, ledger = hasty.place, hasty.ledger
    drained = place.drain(ledger)
    healthy = wait_for(place.all_healthy, what="that all processes are healthy")
    found = ledger.audit(place.api)
    at_first = {f"at first {told}": count for told, count in hasty.first.items()}
    after = {"not cured by one retry": len(hasty.uncured), "drained after": drained, "healthy after": healthy}
    print_figures(title, {**figures, **at_first, **after, **asdict(found)})
    assert found.clean, found


def kill_one_of_each(place: Desk) -> list[float]:
    """Of each service one of its two processes, in random order; gives how long each was away."""
    away = []
    for service in random.sample(SERVICES, k=len(SERVICES)):
        name = random.choice(place.programs(service))
        place.await_settled(name)
        away.append(place.await_return(name, killed=place.kill(name)))
    return away


def kill_replicas(place: Desk, ledger: Ledger, *, rounds: int, first: int) -> None:
    with importing(place, ledger, f"kills-{first}", rows=ROWS, first=first) as hasty:
        away = [seconds for _ in range(rounds) for seconds in kill_one_of_each(place)]
    audit("kill -9 of a replica of each service", hasty, {"kills": len(away), "away at most": max(away)})
    assert set(hasty.uncured) <= {IN_PROGRESS}


def harm_bus(place: Desk, lines: Lines) -> None:
    kill_in_turn(place)
    part(place, lines)


def crash(server: PostgresqlServer) -> None:
    server.crash()
    server.recover()


def harm_everything(
    place: Desk, lines: Lines, server: PostgresqlServer, ledger: Ledger, *, rounds: int, first: int
) -> None:
    """At once replicas and servers of the bus die in turn, two of the latter are parted, and the database crashes."""
    away = []
    with importing(place, ledger, f"harm-{first}", rows=ROWS, first=first) as hasty, ThreadPoolExecutor(2) as pool:
        wait_for(lambda: hasty.first["answered"] >= PARTNERS, what="the first answers")
        for _ in range(rounds):
            harming = [pool.submit(harm_bus, place, lines), pool.submit(crash, server)]
            away += kill_one_of_each(place)
            for each in harming:
                each.result()
    figures = {"kills of replicas": len(away), "away at most": max(away), "kills of the bus": 3 * rounds}
    audit("everything fails at once", hasty, {**figures, "partitions": rounds, "crashes of PostgreSQL": rounds})


def restart_under_load(place: Desk, ledger: Ledger, *, programs: list[str], first: int) -> Hasty:
    folder = place.hub.plan.folder
    running = RunningPrograms(folder, folder.read_run_facts())
    names = [name for program in programs for name in running.named(program)]
    with importing(place, ledger, f"restarts-{first}", rows=ROWS, first=first) as hasty:
        wait_for(lambda: hasty.first["answered"] >= PARTNERS, what="the first answers")
        for _ in running.restart(names):
            pass
    return hasty


def restart(place: Desk, ledger: Ledger, *, programs: list[str], first: int) -> None:
    hasty = restart_under_load(place, ledger, programs=programs, first=first)
    audit(f"restart in turn of {', '.join(programs)}", hasty, {})
    assert hasty.uncured == []


def test_kill_of_a_replica_of_each_service_loses_and_doubles_nothing(place: Desk, ledger: Ledger) -> None:
    kill_replicas(place, ledger, rounds=1, first=0)


def test_everything_that_fails_at_once_loses_and_doubles_nothing(
    place: Desk, lines: Lines, server: PostgresqlServer, ledger: Ledger
) -> None:
    harm_everything(place, lines, server, ledger, rounds=1, first=4_000_000)


def test_restart_of_replicas_in_turn_fails_no_request_that_one_retry_does_not_cure(place: Desk, ledger: Ledger) -> None:
    restart(place, ledger, programs=["ingestion", "delivery"], first=1_000_000)


def test_restart_of_the_only_ingestion_fails_no_request_that_one_retry_does_not_cure(hub: Hub, data: Path) -> None:
    key = make_partner(hub.url, data)
    with closing(patient(hub.url, key)) as api:
        hasty = restart_under_load(Desk(hub, api, key), Ledger(), programs=["ingestion"], first=9_000_000)

    assert hasty.uncured == []


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_restart_of_everything_in_turn_fails_no_request_that_one_retry_does_not_cure(
    place: Desk, ledger: Ledger
) -> None:
    restart(place, ledger, programs=[""], first=2_000_000)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_five_rounds_of_kills_of_replicas_lose_and_double_nothing(place: Desk, ledger: Ledger) -> None:
    kill_replicas(place, ledger, rounds=5, first=3_000_000)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_five_rounds_of_everything_that_fails_lose_and_double_nothing(
    place: Desk, lines: Lines, server: PostgresqlServer, ledger: Ledger
) -> None:
    harm_everything(place, lines, server, ledger, rounds=5, first=5_000_000)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_restart_of_a_small_hub_in_turn_fails_no_request_that_one_retry_does_not_cure(tmp_path: Path) -> None:
    with desk(tmp_path, settings=SETTINGS) as small:
        restart(small, Ledger(), programs=[""], first=0)
