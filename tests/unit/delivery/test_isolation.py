"""One destination that is slow, away, too fast for itself or denied holds neither tickets nor places of others."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from services.delivery.domain.answer import NoAnswer, Refused, Taken
from services.delivery.domain.breaker import BreakerState
from services.delivery.domain.delivery import LEASE_MARGIN, DeliveryState, Parcel
from services.delivery.domain.destination import DIRECTORY, DestinationId
from services.delivery.domain.errors import DestinationNotFoundError
from services.delivery.handler.lanes import Lanes
from tests.unit.delivery.world import HOOK, NOW, World, ref

AT_ONCE = timedelta(milliseconds=1)


async def furnish(lanes: Lanes) -> World:
    world = World(lanes=lanes)
    await world.hook(concurrency=2)
    await world.book()
    for index in range(40):
        world.chunks.keep(f"job.{index}")
    return world


@pytest.fixture
async def world() -> World:
    return await furnish(Lanes(total=2, patience=timedelta(minutes=1)))


@pytest.fixture
async def impatient() -> AsyncIterator[World]:
    world = await furnish(Lanes(total=2, patience=AT_ONCE))
    yield world
    await world.deliverer.abandon()


async def hang(world: World) -> asyncio.Event:
    go_on = asyncio.Event()

    async def wait(parcel: Parcel) -> None:
        if parcel.destination.destination_id == HOOK:
            await go_on.wait()

    world.receiver.before = wait
    return go_on


async def test_a_ticket_of_a_destination_that_hangs_is_let_go_with_all_on_disk(impatient: World) -> None:
    go_on = await hang(impatient)
    refs = [ref(f"job.{index}") for index in range(10)]

    await impatient.deliverer.deliver(refs)

    known = await impatient.ledger.find([each.key for each in refs])
    leases = [each.due_at for each in known.values() if each.due_at != NOW]
    assert len(known) == 10
    assert {each.attempt_count for each in known.values()} == {0}
    assert leases == [NOW + timedelta(seconds=15) + LEASE_MARGIN] * 2
    assert impatient.rings.rung == [(HOOK, NOW)]
    go_on.set()


async def test_what_was_let_go_ends_as_usual(impatient: World) -> None:
    go_on = await hang(impatient)
    await impatient.deliverer.deliver([ref()])
    go_on.set()

    await impatient.deliverer.close()

    assert (await impatient.state(ref())).state is DeliveryState.DONE
    assert len(impatient.reports.told) == 1
    assert impatient.receiver.came == {"job.0.dest-hook": 1}


async def test_however_many_hang_another_destination_has_all_places(impatient: World) -> None:
    go_on = await hang(impatient)
    await impatient.deliverer.deliver([ref(f"job.{index}") for index in range(10)])

    await impatient.deliverer.deliver([ref(f"job.{index}", DIRECTORY) for index in range(10)])

    assert {parcel.destination.destination_id for parcel in impatient.receiver.parcels} == {DIRECTORY}
    assert len(impatient.receiver.parcels) == 10
    go_on.set()


async def test_newer_ones_queue_behind_what_waits_on_disk_at_once(impatient: World) -> None:
    go_on = await hang(impatient)
    await impatient.deliverer.deliver([ref(f"job.{index}") for index in range(10)])
    rings = len(impatient.rings.rung)

    await impatient.deliverer.deliver([ref("job.20")])

    assert (await impatient.state(ref("job.20"))).due_at == NOW
    assert len(impatient.rings.rung) == rings
    go_on.set()


async def test_what_waits_on_disk_is_drained_when_it_answers_again(impatient: World) -> None:
    go_on = await hang(impatient)
    refs = [ref(f"job.{index}") for index in range(30)]
    await impatient.deliverer.deliver(refs)
    go_on.set()

    while await impatient.deliverer.wake(HOOK):
        pass
    await impatient.deliverer.close()

    known = await impatient.ledger.find([each.key for each in refs])
    assert {each.state for each in known.values()} == {DeliveryState.DONE}
    assert set(impatient.receiver.came.values()) == {1}


async def away(world: World, tries: int = 10) -> None:
    world.receiver.answers = [NoAnswer(message="away", reached=False) for _ in range(tries)]
    world.clock.time = NOW - timedelta(seconds=3)
    await world.deliverer.deliver([ref("job.0")])
    world.clock.time = NOW
    for index in range(1, tries):
        await world.deliverer.deliver([ref(f"job.{index}")])


async def test_a_destination_that_is_away_is_left_alone_and_uses_up_no_try(world: World) -> None:
    await away(world)
    await world.deliverer.deliver([ref(f"job.{index}") for index in range(10, 40)])

    known = await world.ledger.find([ref(f"job.{index}").key for index in range(10, 40)])
    health = await world.deliverer.health(HOOK)
    assert len(world.receiver.parcels) == 10
    assert {(each.attempt_count, each.due_at) for each in known.values()} == {(0, NOW + timedelta(seconds=1))}
    assert (health.breaker, health.consecutive_failures) == (BreakerState.OPEN, 10)
    assert health.retry_at == NOW + timedelta(seconds=1)
    assert await world.deliverer.due() == {HOOK: NOW + timedelta(seconds=1)}
    assert not await world.deliverer.wake(HOOK)


async def test_one_probe_goes_and_when_it_arrives_the_rest_follows(world: World) -> None:
    await away(world)
    await world.deliverer.deliver([ref(f"job.{index}") for index in range(10, 40)])
    world.receiver.answers = [NoAnswer(message="away", reached=False)]
    world.clock.advance(timedelta(seconds=1))
    probed = await world.deliverer.wake(HOOK), len(world.receiver.parcels), await world.deliverer.wake(HOOK)
    world.clock.advance(timedelta(hours=1))

    while await world.deliverer.wake(HOOK):
        pass

    assert probed == (True, 11, False)
    assert (await world.deliverer.health(HOOK)).breaker is BreakerState.CLOSED
    assert {(await world.state(ref(f"job.{index}"))).state for index in range(40)} == {DeliveryState.DONE}


async def test_a_probe_that_could_not_be_made_gives_its_turn_back(world: World) -> None:
    await away(world)
    await world.deliverer.deliver([ref("job.20")])
    world.clock.advance(timedelta(seconds=1))
    world.chunks.down = True
    with pytest.raises(ConnectionError):
        await world.deliverer.wake(HOOK)
    world.chunks.down = False

    await world.deliverer.wake(HOOK)

    assert (await world.deliverer.health(HOOK)).breaker is BreakerState.CLOSED


async def test_a_rate_is_kept_and_the_rest_waits_on_disk(world: World) -> None:
    await world.destinations.change(HOOK, lambda known: replace(known, rate=5.0, concurrency=40))
    await world.deliverer.deliver([ref(f"job.{index}") for index in range(20)])
    first = len(world.receiver.parcels)
    world.clock.advance(timedelta(seconds=1))

    while await world.deliverer.wake(HOOK):
        pass

    assert (first, len(world.receiver.parcels)) == (5, 10)
    assert (await world.deliverer.health(HOOK)).rate_now == 5.0


async def test_a_destination_that_denies_itself_is_paused_with_a_reason_and_keeps_its_rows(world: World) -> None:
    world.receiver.answers = [Refused(status=401, message="The receiver answered 401.") for _ in range(3)]
    for index in range(4):
        await world.deliverer.deliver([ref(f"job.{index}")])

    paused = await world.destinations.find(HOOK)
    known = await world.ledger.find([ref(f"job.{index}").key for index in range(4)])
    assert paused is not None
    assert (paused.paused, paused.pause_reason) == (
        True,
        "It answered 401 3 times in a row. Mend its access, then resume it.",
    )
    assert {each.state for each in known.values()} == {DeliveryState.WAITING}
    assert [each.attempt_count for each in known.values()] == [1, 1, 1, 0]


async def test_denials_with_anything_else_between_pause_nothing(world: World) -> None:
    denied = Refused(status=403, message="no")
    world.receiver.answers = [denied, denied, Taken(states=b"\x02"), denied, denied]
    for index in range(5):
        await world.deliverer.deliver([ref(f"job.{index}")])

    destination = await world.destinations.find(HOOK)

    assert destination is not None
    assert not destination.paused


async def test_after_it_was_mended_and_resumed_all_of_it_arrives(world: World) -> None:
    world.receiver.answers = [Refused(status=403, message="no") for _ in range(3)]
    for index in range(4):
        await world.deliverer.deliver([ref(f"job.{index}")])
    await world.resume(HOOK)
    world.clock.advance(timedelta(minutes=1))

    while await world.deliverer.wake(HOOK):
        pass

    assert {(await world.state(ref(f"job.{index}"))).state for index in range(4)} == {DeliveryState.DONE}


async def test_an_unknown_destination_has_no_health(world: World) -> None:
    with pytest.raises(DestinationNotFoundError):
        await world.deliverer.health(DestinationId("nowhere"))
