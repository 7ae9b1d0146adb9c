"""A process that dies anywhere on the way: an idempotent receiver is effected once, another gets nothing twice."""

from datetime import timedelta

import pytest

from services.delivery.domain.answer import NoAnswer, Refused
from services.delivery.domain.delivery import LEASE_MARGIN, Attempt, Delivery, DeliveryState, RowState
from services.delivery.store.memory import MemoryLedger
from tests.unit.delivery.world import Crash, World, ref


class DyingLedger(MemoryLedger):
    """Dies before a commit, as often as told."""

    def __init__(self) -> None:
        super().__init__()
        self.deaths = 0

    async def record(self, delivery: Delivery, attempt: Attempt | None = None) -> bool:
        if self.deaths:
            self.deaths -= 1
            raise Crash
        return await super().record(delivery, attempt)


@pytest.fixture
def ledger() -> DyingLedger:
    return DyingLedger()


@pytest.fixture
def world(ledger: DyingLedger) -> World:
    world = World(ledger=ledger)
    world.chunks.keep("job.0")
    return world


@pytest.mark.parametrize("point", ["before send", "after send", "before commit", "before report", "before ack"])
async def test_an_idempotent_receiver_is_effected_once(point: str, world: World, ledger: DyingLedger) -> None:
    await world.hook()
    await _die(point, world, ledger)

    await world.restarted().deliverer.deliver([ref()])

    assert world.receiver.effective == {"job.0.dest-hook"}
    assert (await world.state(ref())).state is DeliveryState.DONE
    assert world.reports.told[-1].states == bytes([RowState.CREATED])


async def _die(point: str, world: World, ledger: DyingLedger) -> None:
    match point:
        case "before send":
            world.chunks.down = True
        case "after send":
            world.receiver.after = Crash()
        case "before commit":
            ledger.deaths = 1
        case "before report":
            world.reports.fault = Crash()
        case "before ack":
            await world.deliverer.deliver([ref()])
            return
    with pytest.raises((Crash, ConnectionError)):
        await world.deliverer.deliver([ref()])
    world.chunks.down = False


@pytest.mark.parametrize("point", ["after send", "before commit"])
async def test_another_receiver_gets_nothing_twice(point: str, world: World, ledger: DyingLedger) -> None:
    await world.hook(idempotent=False)
    await _die(point, world, ledger)
    world = world.restarted()

    await world.deliverer.deliver([ref()])
    held = await world.state(ref())
    world.clock.advance(timedelta(seconds=15) + LEASE_MARGIN)
    await world.deliverer.wake(ref().key.destination_id)

    assert held.state is DeliveryState.SENDING
    assert world.receiver.came == {"job.0.dest-hook": 1}
    [told] = world.reports.told
    assert (told.state, told.states) == (DeliveryState.UNKNOWN, bytes([RowState.UNKNOWN]))


async def test_a_crash_before_sending_leaves_another_receiver_its_first_delivery(
    world: World, ledger: DyingLedger
) -> None:
    await world.hook(idempotent=False)
    await _die("before send", world, ledger)

    await world.restarted().deliverer.deliver([ref()])

    assert world.receiver.came == {"job.0.dest-hook": 1}
    assert (await world.state(ref())).state is DeliveryState.DONE


async def test_a_lost_answer_is_unknown_and_never_sent_again(world: World) -> None:
    await world.hook(idempotent=False)
    world.receiver.answers = [NoAnswer(message="cut", reached=True)]
    await world.deliverer.deliver([ref()])

    world.clock.advance(timedelta(days=2))
    await world.deliverer.deliver([ref()])

    assert world.receiver.came == {"job.0.dest-hook": 1}
    assert (await world.state(ref())).state is DeliveryState.UNKNOWN
    assert await world.deliverer.due() == {}


async def test_a_clear_refusal_is_tried_again_even_there(world: World) -> None:
    await world.hook(idempotent=False)
    world.receiver.answers = [Refused(status=429, message="no")]
    await world.deliverer.deliver([ref()])
    world.clock.advance(timedelta(seconds=5))

    await world.deliverer.wake(ref().key.destination_id)

    assert world.receiver.came == {"job.0.dest-hook": 2}
    assert (await world.state(ref())).state is DeliveryState.DONE


async def test_a_late_answer_does_not_change_what_was_found_lost(world: World) -> None:
    """A process that was stopped longer than its lease."""
    await world.hook(idempotent=False)

    async def another_finds_it(_: object) -> None:
        world.receiver.before = None
        world.clock.advance(timedelta(minutes=1))
        await world.restarted().deliverer.deliver([ref()])

    world.receiver.before = another_finds_it

    await world.deliverer.deliver([ref()])

    assert (await world.state(ref())).state is DeliveryState.UNKNOWN
    assert len(world.reports.told) == 1


async def test_a_claimed_retry_is_taken_up_again_after_its_lease(world: World, ledger: DyingLedger) -> None:
    await world.hook()
    world.receiver.answers = [Refused(status=503, message="no")]
    await world.deliverer.deliver([ref()])
    world.clock.advance(timedelta(seconds=5))
    ledger.deaths = 1
    with pytest.raises(Crash):
        await world.deliverer.wake(ref().key.destination_id)
    world = world.restarted()

    too_soon = await world.deliverer.wake(ref().key.destination_id)
    world.clock.advance(timedelta(seconds=15) + LEASE_MARGIN)
    await world.deliverer.wake(ref().key.destination_id)

    assert not too_soon
    assert (await world.state(ref())).state is DeliveryState.DONE
    assert (await world.state(ref())).attempt_count == 2
