"""A delivery in parts of which an answer is lost, or whose process dies between two of them."""

from datetime import timedelta

import pytest

from services.delivery.domain.answer import NoAnswer, Taken
from services.delivery.domain.delivery import LEASE_MARGIN, DeliveryState, Parcel, RowState
from services.delivery.domain.destination import RetrySchedule
from tests.unit.delivery.test_parts import rows_sent, world_of
from tests.unit.delivery.world import HOOK, Crash, ref

CREATED, PENDING, UNKNOWN = RowState.CREATED, RowState.PENDING, RowState.UNKNOWN


async def test_the_rows_of_a_lost_answer_are_unknown_and_the_others_go_on() -> None:
    world = await world_of(4, chunk_size=2, idempotent=False)
    world.receiver.answers = [NoAnswer(message="cut", reached=True)]
    await world.deliverer.deliver([ref()])
    world.clock.advance(timedelta(minutes=1))

    await world.deliverer.wake(HOOK)

    end = await world.state(ref())
    assert (end.state, end.states) == (DeliveryState.UNKNOWN, bytes([UNKNOWN, UNKNOWN, CREATED, CREATED]))
    assert rows_sent(world) == [(0, 1), (2, 3)]


async def test_a_destination_that_can_be_asked_tells_what_became_of_a_lost_answer() -> None:
    world = await world_of(2, idempotent=False)
    world.receiver.answers = [NoAnswer(message="cut", reached=True)]
    world.oracle.answers = [Taken(states=bytes([CREATED, PENDING]))]
    await world.deliverer.deliver([ref()])
    world.clock.advance(timedelta(minutes=1))

    await world.deliverer.wake(HOOK)

    assert rows_sent(world) == [(), (1,)]
    assert (await world.state(ref())).states == bytes([CREATED, CREATED])


async def test_it_is_asked_again_while_it_does_not_answer_and_in_the_end_nobody_knows() -> None:
    world = await world_of(2, idempotent=False, retry=RetrySchedule(max_attempts=3))
    world.receiver.answers = [NoAnswer(message="cut", reached=True)]
    world.oracle.answers = [NoAnswer(message="away", reached=False) for _ in range(3)]
    await world.deliverer.deliver([ref()])
    meanwhile = await world.state(ref())

    for _ in range(4):
        world.clock.advance(timedelta(hours=9))
        await world.deliverer.wake(HOOK)

    assert meanwhile.state is DeliveryState.SENDING
    assert len(world.oracle.asked) == 3
    assert len(world.receiver.parcels) == 1
    assert (await world.state(ref())).states == bytes([UNKNOWN]) * 2


async def test_what_may_have_arrived_is_not_sent_again_though_the_pause_is_over_at_once() -> None:
    world = await world_of(2, idempotent=False)
    world.chance = 0.0
    world.receiver.answers = [NoAnswer(message="cut", reached=True)]
    world.oracle.answers = [NoAnswer(message="away", reached=False), Taken(states=bytes([CREATED, CREATED]))]

    await world.deliverer.deliver([ref()])
    await world.deliverer.wake(HOOK)

    assert len(world.receiver.parcels) == 1
    assert (await world.state(ref())).states == bytes([CREATED, CREATED])


@pytest.mark.parametrize("idempotent", [True, False])
async def test_a_process_that_dies_between_parts_leaves_the_next_one_to_another(*, idempotent: bool) -> None:
    world = await world_of(6, chunk_size=2, idempotent=idempotent)
    sent = 0

    async def die_at_the_second(_: Parcel) -> None:
        nonlocal sent
        sent += 1
        if sent == 2:
            raise Crash

    world.receiver.before = die_at_the_second
    with pytest.raises(Crash):
        await world.deliverer.deliver([ref()])
    world = world.restarted()
    held = await world.deliverer.wake(HOOK)
    world.clock.advance(timedelta(seconds=15) + LEASE_MARGIN)
    while await world.deliverer.wake(HOOK):
        pass

    second = CREATED if idempotent else UNKNOWN
    end = await world.state(ref())
    assert not held
    assert end.states == bytes([CREATED, CREATED, second, second, CREATED, CREATED])
    assert rows_sent(world) == ([(0, 1), (2, 3), (4, 5)] if idempotent else [(0, 1), (4, 5)])


async def test_another_that_was_quicker_keeps_a_process_from_going_on() -> None:
    """A process that was stopped longer than its lease, between two parts."""
    world = await world_of(4, chunk_size=2, idempotent=False)

    async def another_takes_over(_: Parcel) -> None:
        world.receiver.before = None
        world.clock.advance(timedelta(minutes=1))
        other = world.restarted()
        while await other.deliverer.wake(HOOK):
            pass

    world.receiver.before = another_takes_over

    await world.deliverer.deliver([ref()])

    assert rows_sent(world) == [(2, 3), (0, 1)]
    assert (await world.state(ref())).states == bytes([UNKNOWN, UNKNOWN, CREATED, CREATED])
