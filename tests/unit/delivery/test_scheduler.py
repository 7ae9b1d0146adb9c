import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from services.delivery.domain.answer import Refused
from services.delivery.domain.delivery import Delivery, DeliveryState, Parcel, hold
from services.delivery.domain.destination import DestinationId, RetrySchedule
from services.delivery.scheduler import Bell, Scheduler
from services.delivery.system import SystemClock
from tests.fixtures.waiting import PATIENCE_SECONDS
from tests.unit.delivery.world import NOW, HandClock, World, ref

SOON = RetrySchedule(first_delay=timedelta(milliseconds=2), max_delay=timedelta(milliseconds=2))


class Told:
    """Outcomes, and a way to wait for them."""

    def __init__(self) -> None:
        self.told: list[Delivery] = []
        self._more = asyncio.Condition()

    async def report(self, delivery: Delivery) -> None:
        async with self._more:
            self.told.append(delivery)
            self._more.notify_all()

    async def finals(self, count: int) -> list[Delivery]:
        async with asyncio.timeout(PATIENCE_SECONDS), self._more:
            await self._more.wait_for(lambda: sum(each.is_final for each in self.told) >= count)
        return [each for each in self.told if each.is_final]


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def world(told: Told) -> AsyncIterator[World]:
    clock = SystemClock()
    bell = Bell(clock)
    world = World(reports=told, rings=bell, clock=clock)  # type: ignore[arg-type]  # the real ones, of the same form
    await world.hook(retry=SOON)
    for index in range(200):
        world.chunks.keep(f"job.{index}")
    scheduler = asyncio.create_task(Scheduler(world.deliverer, bell=bell, clock=clock).run())
    yield world
    scheduler.cancel()
    await asyncio.wait([scheduler])
    assert scheduler.cancelled()


async def test_what_waits_is_tried_until_it_is_done(world: World, told: Told) -> None:
    world.receiver.answers = [Refused(status=503, message="no") for _ in range(5)]

    await world.deliverer.deliver([ref("job.0")])

    [final] = await told.finals(1)
    assert (final.attempt_count, final.state) == (6, DeliveryState.DONE)


async def test_what_was_left_by_another_process_is_taken_up_at_start(told: Told) -> None:
    world = World(reports=told, clock=SystemClock())  # type: ignore[arg-type]  # as above
    await world.hook()
    for index in range(150):
        world.chunks.keep(f"job.{index}")
        await world.ledger.record(hold(ref(f"job.{index}"), now=NOW))
    clock = SystemClock()
    scheduler = asyncio.create_task(Scheduler(world.deliverer, bell=Bell(clock), clock=clock).run())

    finals = await told.finals(150)

    scheduler.cancel()
    await asyncio.wait([scheduler])
    assert len({each.ref.key for each in finals}) == 150
    assert set(world.receiver.came.values()) == {1}


async def test_a_resumed_destination_gets_its_backlog(world: World, told: Told) -> None:
    hook = ref().key.destination_id
    await world.pause(hook)
    await world.deliverer.deliver([ref(f"job.{index}") for index in range(100)])

    await world.resume(hook)

    assert len(await told.finals(100)) == 100


async def test_a_destination_that_hangs_delays_no_other(world: World, told: Told) -> None:
    await world.book()
    go_on = asyncio.Event()

    async def hang(parcel: Parcel) -> None:
        if parcel.destination.destination_id == "dest-hook":
            await go_on.wait()

    hook, book = ref().key.destination_id, DestinationId("directory")
    for each in (hook, book):
        await world.pause(each)
    world.receiver.before = hang
    await world.deliverer.deliver([ref(f"job.{index}", each) for index in range(50) for each in (hook, book)])
    await world.resume(hook)
    await world.resume(book)

    finals = await told.finals(50)
    go_on.set()

    assert {each.ref.key.destination_id for each in finals} == {book}
    assert len(await told.finals(100)) == 100


async def test_a_fault_is_waited_out(world: World, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.delivery.scheduler.REST_AFTER_FAULT", timedelta(milliseconds=1))
    hook = ref().key.destination_id
    await world.pause(hook)
    await world.deliverer.deliver([ref("job.0")])
    world.chunks.faults = 3

    await world.resume(hook)

    assert len(await told.finals(1)) == 1


async def test_an_earlier_ring_wakes_and_a_later_one_does_not() -> None:
    clock = HandClock()
    bell = Bell(clock)
    bell.plan(NOW + timedelta(hours=1))
    waiting = asyncio.create_task(bell.wait())
    await asyncio.sleep(0)

    bell.ring(DestinationId("a"), at=NOW + timedelta(hours=2))
    await asyncio.sleep(0)
    later = waiting.done()
    bell.ring(DestinationId("a"), at=NOW)

    async with asyncio.timeout(PATIENCE_SECONDS):
        await waiting
    assert not later
