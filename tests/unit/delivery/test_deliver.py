import asyncio
from datetime import timedelta

import pytest

from services.delivery.domain.answer import NoAnswer, Refused, RowFailure, Taken
from services.delivery.domain.delivery import DeliveryState, Parcel, RowState
from services.delivery.domain.destination import RetrySchedule
from services.delivery.handler.deliver import InterruptedDeliveriesError
from services.delivery.handler.lanes import Lanes
from tests.unit.delivery.world import NOW, World, ref


@pytest.fixture
async def world() -> World:
    world = World()
    await world.hook()
    await world.book()
    world.chunks.keep("job.0", size=2)
    return world


async def test_a_ticket_is_sent_recorded_and_reported(world: World) -> None:
    await world.deliverer.deliver([ref()])

    [told] = world.reports.told
    attempts = await world.ledger.attempts(ref().key.chunk_id, ref().key.destination_id)
    assert told == await world.state(ref())
    assert (told.state, told.states, told.attempt_count) == (DeliveryState.DONE, b"\x02\x02", 1)
    assert attempts is not None
    assert [(each.number, each.status) for each in attempts] == [(1, 200)]


async def test_a_repeated_ticket_is_reported_again_and_not_sent(world: World) -> None:
    await world.deliverer.deliver([ref()])

    await world.deliverer.deliver([ref(), ref()])

    assert world.receiver.came == {"job.0.dest-hook": 1}
    assert len(world.reports.told) == 2


async def test_a_ticket_that_comes_twice_at_once_is_sent_once(world: World) -> None:
    await asyncio.gather(world.deliverer.deliver([ref()]), world.deliverer.deliver([ref()]))

    assert world.receiver.came == {"job.0.dest-hook": 1}


async def test_a_ticket_of_many_is_sent_to_each(world: World) -> None:
    refs = [ref(f"job.{index}", destination) for index in range(5) for destination in ("dest-hook", "directory")]
    for index in range(5):
        world.chunks.keep(f"job.{index}")

    await world.deliverer.deliver(refs)

    assert world.receiver.effective == {each.key.delivery_id for each in refs}
    assert len(world.reports.told) == 10


async def test_a_failure_waits_and_is_tried_again_when_due(world: World) -> None:
    world.receiver.answers = [Refused(status=503, message="The receiver answered 503.")]
    await world.deliverer.deliver([ref()])
    waiting = await world.state(ref())

    world.clock.advance(timedelta(seconds=2))
    early = await world.deliverer.wake(ref().key.destination_id)
    world.clock.advance(timedelta(seconds=1))
    late = await world.deliverer.wake(ref().key.destination_id)

    assert (waiting.state, waiting.due_at) == (DeliveryState.WAITING, NOW + timedelta(seconds=2.5))
    assert waiting.states == bytes([RowState.PENDING]) * 2
    assert (early, late) == (False, True)
    assert [(told.status, told.attempt_count, told.is_final) for told in world.reports.told] == [
        (503, 1, False),
        (200, 2, True),
    ]
    assert world.rings.rung == [("dest-hook", waiting.due_at)]


async def test_a_ticket_for_a_waiting_delivery_changes_nothing(world: World) -> None:
    world.receiver.answers = [Refused(status=429, message="no", retry_after=timedelta(hours=1))]
    await world.deliverer.deliver([ref()])
    before = await world.state(ref())

    await world.deliverer.deliver([ref()])

    assert await world.state(ref()) == before
    assert len(world.receiver.parcels) == 1
    assert world.reports.told == [before, before]


async def test_the_last_try_fails_the_rows(world: World) -> None:
    await world.destinations.set_paused(ref().key.destination_id, paused=False)
    world.receiver.answers = [NoAnswer(message="cut", reached=True) for _ in range(8)]
    await world.deliverer.deliver([ref()])

    for _ in range(20):
        world.clock.advance(timedelta(hours=8))
        await world.deliverer.wake(ref().key.destination_id)

    done = await world.state(ref())
    assert (done.state, done.attempt_count, done.states) == (DeliveryState.FAILED, 8, bytes([RowState.FAILED]) * 2)
    assert world.receiver.effective == {"job.0.dest-hook"}


async def test_a_client_error_is_given_up_at_once(world: World) -> None:
    world.receiver.answers = [Refused(status=404, message="The receiver answered 404.")]

    await world.deliverer.deliver([ref()])

    done = await world.state(ref())
    assert (done.state, done.status, done.message) == (DeliveryState.FAILED, 404, "The receiver answered 404.")
    assert (done.failures, len(world.receiver.parcels)) == ((), 1)


async def test_rows_that_the_destination_refused_are_named(world: World) -> None:
    failures = (RowFailure(position=1, reason="The contact has no identity."),)
    world.receiver.answers = [Taken(states=bytes([RowState.CREATED, RowState.FAILED]), failures=failures)]
    await world.deliverer.deliver([ref()])

    await world.deliverer.deliver([ref()])

    assert [told.failures for told in world.reports.told] == [failures, failures]
    assert world.reports.told[0].state is DeliveryState.DONE


async def test_an_unknown_destination_fails_visibly(world: World) -> None:
    await world.deliverer.deliver([ref("job.0", "nowhere")])

    [told] = world.reports.told
    assert (told.state, told.states, told.attempt_count) == (DeliveryState.FAILED, bytes([RowState.FAILED]) * 2, 1)
    assert told.message == "There is no destination with this id."
    assert not world.receiver.parcels


async def test_a_chunk_that_is_gone_ends_and_is_not_asked_for_again(world: World) -> None:
    await world.deliverer.deliver([ref("job.9")])

    assert (await world.state(ref("job.9"))).state is DeliveryState.FAILED
    assert world.reports.told == []


async def test_what_a_paused_destination_gets_waits_without_a_try_until_it_is_resumed(world: World) -> None:
    hook = ref().key.destination_id
    await world.pause(hook)
    await world.deliverer.deliver([ref()])
    await world.deliverer.deliver([ref()])
    held = await world.state(ref())
    backlog = await world.ledger.waiting(hook)
    while_paused = await world.deliverer.due(), await world.deliverer.wake(hook)

    await world.resume(hook)
    due = await world.deliverer.due()
    await world.deliverer.wake(hook)

    assert (held.state, held.attempt_count) == (DeliveryState.WAITING, 0)
    assert (backlog.count, backlog.oldest_at) == (1, NOW)
    assert while_paused == ({}, False)
    assert due == {hook: NOW}
    assert world.rings.rung == [(hook, NOW)]
    assert (await world.state(ref())).state is DeliveryState.DONE


async def test_a_pause_holds_what_still_waits_for_its_place() -> None:
    world = World()
    await world.hook(concurrency=1)
    for index in range(2):
        world.chunks.keep(f"job.{index}")

    async def pause(_: Parcel) -> None:
        await world.pause(ref().key.destination_id)

    world.receiver.before = pause

    await world.deliverer.deliver([ref("job.0"), ref("job.1")])

    assert world.receiver.effective == {"job.0.dest-hook"}
    assert (await world.state(ref("job.1"))).attempt_count == 0


async def test_an_absent_ingestion_interrupts_and_leaves_nothing_behind(world: World) -> None:
    world.chunks.down = True

    with pytest.raises(InterruptedDeliveriesError) as interrupted:
        await world.deliverer.deliver([ref("job.0"), ref("job.1")])

    assert (interrupted.value.count, interrupted.value.of) == (2, 2)
    assert await world.ledger.find([ref().key]) == {}


async def test_one_fault_does_not_stop_the_rest_of_a_ticket(world: World) -> None:
    world.chunks.keep("job.1")
    world.receiver.answers = [RuntimeError(), Taken(states=b"\x02")]

    with pytest.raises(InterruptedDeliveriesError):
        await world.deliverer.deliver([ref("job.0"), ref("job.1")])

    assert (await world.state(ref("job.1"))).state is DeliveryState.DONE


async def test_at_most_so_many_are_sent_at_once_to_one_destination_and_in_all() -> None:
    world = World(lanes=Lanes(total=5))
    await world.hook(concurrency=3)
    await world.book()
    under_way: list[str] = []
    most_hook = most = 0

    async def count(parcel: Parcel) -> None:
        nonlocal most, most_hook
        under_way.append(parcel.destination.destination_id)
        most = max(most, len(under_way))
        most_hook = max(most_hook, under_way.count("dest-hook"))
        for _ in range(5):
            await asyncio.sleep(0)
        under_way.remove(parcel.destination.destination_id)

    world.receiver.before = count
    refs = [ref(f"job.{index}", to) for to in ("dest-hook", "directory") for index in range(20)]
    for index in range(20):
        world.chunks.keep(f"job.{index}")

    await world.deliverer.deliver(refs)

    assert (most, most_hook) == (5, 3)
    assert len(world.receiver.came) == 40


async def test_two_processes_never_try_a_due_retry_at_once(world: World) -> None:
    world.receiver.answers = [Refused(status=503, message="no")]
    await world.deliverer.deliver([ref()])
    world.clock.advance(timedelta(minutes=1))
    other = World(**{name: getattr(world, name) for name in World.__dataclass_fields__})

    await asyncio.gather(*(each.deliverer.wake(ref().key.destination_id) for each in (world, other)))

    assert world.receiver.came == {"job.0.dest-hook": 2}


async def test_a_shorter_schedule_is_followed() -> None:
    world = World()
    await world.hook(retry=RetrySchedule(first_delay=timedelta(seconds=1), max_attempts=2))
    world.chunks.keep("job.0")
    world.receiver.answers = [Refused(status=500, message="no"), Refused(status=500, message="no")]
    await world.deliverer.deliver([ref()])
    world.clock.advance(timedelta(seconds=1))

    await world.deliverer.wake(ref().key.destination_id)

    assert (await world.state(ref())).state is DeliveryState.FAILED
