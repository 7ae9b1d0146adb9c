"""What should have happened by now is seen, told once, and woken; what waits by right is not."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.delivery.domain.answer import NoAnswer
from services.delivery.domain.delivery import hold
from services.delivery.domain.destination import DestinationId
from services.delivery.domain.watch import Condition, Late, Watch
from services.delivery.handler.deliver import Deliverer
from services.delivery.handler.gates import Gates
from services.delivery.handler.watching import Lookout, Watchdog
from services.delivery.scheduler import Watchman
from tests.unit.delivery.world import HOOK, NOW, World, ref

MINUTE = timedelta(minutes=1)


class Queue:
    def __init__(self) -> None:
        self.count: int | None = 0

    async def waiting(self) -> int | None:
        return self.count


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
async def world() -> World:
    world = World()
    await world.hook()
    return world


@pytest.fixture
def gates(world: World) -> Gates:
    return Gates(clock=world.clock)


@pytest.fixture
def watchdog(world: World, queue: Queue, gates: Gates) -> Watchdog:
    return Watchdog(
        Lookout(
            backlog=world.ledger,
            destinations=world.destinations,
            tickets=queue,
            gates=gates,
            alarm=world.rings,
            clock=world.clock,
        )
    )


async def wait_since(world: World, *moments: datetime) -> None:
    for index, moment in enumerate(moments):
        await world.ledger.record(hold(ref(f"job.{index}"), now=moment))


async def test_nothing_is_seen_where_all_is_well(world: World, watchdog: Watchdog) -> None:
    await wait_since(world, NOW, NOW - timedelta(seconds=59))

    assert await watchdog.watch() == Watch(late=Late(), tickets=0)


async def test_what_is_due_for_long_is_late_and_what_was_never_tried_forgotten(
    world: World, watchdog: Watchdog
) -> None:
    await wait_since(world, NOW - MINUTE, NOW - 5 * MINUTE, NOW - 6 * MINUTE, NOW)

    watch = await watchdog.watch()

    assert watch.late == Late(count=3, never_tried=2, oldest_due_at=NOW - 6 * MINUTE)
    assert list(watch.conditions) == [Condition.LATE, Condition.FORGOTTEN]
    assert world.rings.rung == []


async def test_what_is_late_is_woken(world: World, watchdog: Watchdog) -> None:
    await wait_since(world, NOW - 5 * MINUTE)

    await watchdog.heal()

    assert world.rings.rung == [(HOOK, NOW)]


@pytest.mark.parametrize("right", ["paused", "resuming", "at a pace"])
async def test_what_waits_by_right_is_not_late(right: str, world: World, watchdog: Watchdog) -> None:
    await wait_since(world, NOW - 5 * MINUTE)
    changes: dict[str, Any] = {
        "paused": right == "paused",
        "resuming": right == "resuming",
        "rate": 1.0 * (right == "at a pace"),
    }
    await world.destinations.change(HOOK, lambda known: replace(known, **changes))

    assert (await watchdog.watch()).conditions == []


async def test_what_an_open_breaker_keeps_back_is_not_late(world: World, gates: Gates, watchdog: Watchdog) -> None:
    deliverer = Deliverer(world.surroundings, lanes=world.lanes, gates=gates)
    world.receiver.answers = [NoAnswer(message="away", reached=False) for _ in range(11)]
    for index in range(11):
        world.chunks.keep(f"other.{index}")
        await deliverer.deliver([ref(f"other.{index}")])
        world.clock.advance(timedelta(seconds=0.3))
    await wait_since(world, NOW - 5 * MINUTE)

    assert (await watchdog.watch()).conditions == []


@pytest.mark.parametrize(("count", "condition"), [(1000, Condition.LAGGING), (None, Condition.UNHEARD)])
async def test_tickets_that_pile_up_and_a_bus_that_is_silent_are_seen(
    count: int | None, condition: Condition, queue: Queue, watchdog: Watchdog
) -> None:
    queue.count = count

    assert list((await watchdog.watch()).conditions) == [condition]


async def test_a_line_is_logged_when_it_begins_and_when_it_ends(queue: Queue, watchdog: Watchdog) -> None:
    watchman = Watchman(watchdog)

    with capture_logs() as logged:
        for count in (0, 1000, 2000, 0, 0):
            queue.count = count
            await watchman.look()

    assert [(line["event"], line["condition"]) for line in logged] == [
        ("watchdog_began", "tickets_lagging"),
        ("watchdog_ended", "tickets_lagging"),
    ]


async def test_a_fault_does_not_end_the_watch(
    world: World, watchdog: Watchdog, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(destination_id: DestinationId, **_: object) -> Sequence[object]:
        raise ConnectionError

    monkeypatch.setattr(world.ledger, "late", fail)
    with capture_logs() as logged:
        await Watchman(watchdog).look()

    assert [line["event"] for line in logged] == ["watch_failed"]
