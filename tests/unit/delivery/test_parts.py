"""A delivery in parts: which rows go together, under which id, and how bad rows are found."""

from datetime import timedelta

import pytest

from services.delivery.domain.answer import Answer, Refused, RowFailure, Taken
from services.delivery.domain.delivery import DeliveryState, Parcel, RowState
from services.delivery.domain.destination import RetrySchedule
from services.delivery.domain.parts import part_id
from tests.unit.delivery.world import HOOK, NOW, Crash, World, ref

CREATED, PENDING, FAILED, UNKNOWN = RowState.CREATED, RowState.PENDING, RowState.FAILED, RowState.UNKNOWN


class Picky:
    """Refuses every part that has a bad row."""

    def __init__(self, bad: set[int], *, status: int = 422) -> None:
        self.bad = bad
        self.status = status
        self.parts: list[tuple[int, ...]] = []

    async def send(self, parcel: Parcel) -> Answer:
        rows = parcel.ref.positions or tuple(range(parcel.chunk.size))
        self.parts.append(rows)
        if self.bad & set(rows):
            return Refused(status=self.status, message=f"The receiver answered {self.status}.")
        return Taken(states=bytes([CREATED]) * len(rows))


async def world_of(size: int, receiver: object = None, **settings: object) -> World:
    world = World() if receiver is None else World(receiver=receiver)  # type: ignore[arg-type]  # of the same form
    await world.hook(**settings)  # type: ignore[arg-type]  # by name
    world.chunks.keep("job.0", size=size)
    return world


def rows_sent(world: World) -> list[tuple[int, ...]]:
    return [parcel.ref.positions for parcel in world.receiver.parcels]


async def test_a_whole_chunk_goes_in_one_part_under_the_plain_id() -> None:
    world = await world_of(3)

    await world.deliverer.deliver([ref()])

    assert rows_sent(world) == [()]
    assert world.receiver.came == {"job.0.dest-hook": 1}
    assert len(world.reports.told) == 1


async def test_a_chunk_goes_in_parts_of_the_destinations_size_and_is_told_once() -> None:
    world = await world_of(5, chunk_size=2)

    await world.deliverer.deliver([ref()])

    attempts = await world.ledger.attempts(ref().key.chunk_id, HOOK) or []
    assert rows_sent(world) == [(0, 1), (2, 3), (4,)]
    assert len(world.receiver.came) == 3
    assert "job.0.dest-hook" not in world.receiver.came
    assert [each.number for each in attempts] == [1, 2, 3]
    [told] = world.reports.told
    assert (told.state, told.states) == (DeliveryState.DONE, b"\x02" * 5)


def test_an_id_names_its_rows() -> None:
    ids = {part_id("job.0.d", rows) for rows in [(), (0,), (1,), (0, 1), (0, 2)]}

    assert len(ids) == 5
    assert part_id("job.0.d", (0, 1)) == part_id("job.0.d", (0, 1))
    assert part_id("job.0.d", ()) == "job.0.d"
    assert len(part_id("job.0.d", (0,)).removeprefix("job.0.d.")) == 8


async def test_the_same_rows_are_tried_again_under_the_same_id() -> None:
    world = await world_of(4, chunk_size=2)
    world.receiver.answers = [Refused(status=503, message="no")]
    await world.deliverer.deliver([ref()])
    world.clock.advance(timedelta(minutes=1))

    await world.deliverer.wake(HOOK)

    assert rows_sent(world) == [(0, 1), (0, 1), (2, 3)]
    assert sorted(world.receiver.came.values()) == [1, 2]


async def test_only_rows_that_were_asked_for_again_are_sent_again() -> None:
    world = await world_of(4)
    again = Taken(states=bytes([CREATED, PENDING, CREATED, PENDING]), retry_after=timedelta(hours=1), message="busy")
    world.receiver.answers = [again]
    await world.deliverer.deliver([ref()])
    waiting = await world.state(ref())
    world.clock.advance(timedelta(hours=1))

    await world.deliverer.wake(HOOK)

    assert (waiting.due_at, waiting.message) == (NOW + timedelta(hours=1), "busy")
    assert waiting.states == bytes([CREATED, PENDING, CREATED, PENDING])
    assert rows_sent(world) == [(), (1, 3)]
    assert (await world.state(ref())).states == b"\x02" * 4
    assert [told.is_final for told in world.reports.told] == [False, True]


async def test_rows_behind_those_asked_for_again_have_their_turn_first() -> None:
    world = await world_of(4, chunk_size=2)
    world.receiver.answers = [Taken(states=bytes([PENDING, CREATED]))]

    await world.deliverer.deliver([ref()])

    assert rows_sent(world) == [(0, 1), (2, 3)]
    assert (await world.state(ref())).states == bytes([PENDING, CREATED, CREATED, CREATED])


async def test_a_row_asked_for_again_at_every_try_fails() -> None:
    world = await world_of(2, retry=RetrySchedule(max_attempts=3))
    busy = Taken(states=bytes([CREATED, PENDING]), message="busy")
    world.receiver.answers = [busy, *(Taken(states=bytes([PENDING]), message="busy") for _ in range(2))]
    await world.deliverer.deliver([ref()])

    for _ in range(3):
        world.clock.advance(timedelta(hours=9))
        await world.deliverer.wake(HOOK)

    end = await world.state(ref())
    assert (end.state, end.states) == (DeliveryState.DONE, bytes([CREATED, FAILED]))
    assert end.failures == (RowFailure(position=1, reason="busy"),)
    assert len(world.receiver.parcels) == 3


@pytest.mark.parametrize("bad", [{0}, {617}, {999}, {3, 500}])
async def test_a_bad_contact_does_not_sink_the_others(bad: set[int]) -> None:
    receiver = Picky(bad)
    world = await world_of(1000, receiver)

    await world.deliverer.deliver([ref()])

    end = await world.state(ref())
    assert end.state is DeliveryState.DONE
    assert {at for at, state in enumerate(end.states) if state == FAILED} == bad
    assert end.states.count(CREATED) == 1000 - len(bad)
    assert {each.position: each.reason for each in end.failures} == dict.fromkeys(bad, "The receiver answered 422.")
    assert len(receiver.parts) <= 65


async def test_finding_bad_rows_is_bounded_and_the_rest_fails() -> None:
    receiver = Picky(set(range(1000)))
    world = await world_of(1000, receiver)

    await world.deliverer.deliver([ref()])

    end = await world.state(ref())
    assert (end.state, end.states) == (DeliveryState.FAILED, bytes([FAILED]) * 1000)
    assert len(receiver.parts) <= 1 + 64 + 2


@pytest.mark.parametrize("status", [301, 402, 404, 405, 415])
async def test_a_refusal_that_says_nothing_of_the_rows_is_not_halved(status: int) -> None:
    receiver = Picky({0}, status=status)
    world = await world_of(8, receiver)

    await world.deliverer.deliver([ref()])

    assert len(receiver.parts) == 1
    assert (await world.state(ref())).state is DeliveryState.FAILED


async def test_halving_goes_on_where_it_was_after_a_crash() -> None:
    receiver = Picky({5})
    world = await world_of(8, receiver)

    async def die_at_the_third(parcel: Parcel) -> Answer:
        if len(receiver.parts) == 2:
            raise Crash
        return await Picky.send(receiver, parcel)

    receiver.send = die_at_the_third  # type: ignore[method-assign]  # this one alone
    with pytest.raises(Crash):
        await world.deliverer.deliver([ref()])
    del receiver.send
    world.receiver = receiver  # type: ignore[assignment]  # of the same form
    world.clock.advance(timedelta(minutes=5))
    again = World(ledger=world.ledger, destinations=world.destinations, chunks=world.chunks, receiver=world.receiver,
                  clock=world.clock)  # fmt: skip

    await again.deliverer.wake(HOOK)

    end = await world.state(ref())
    assert receiver.parts[:3] == [tuple(range(8)), (0, 1, 2, 3), (4, 5, 6, 7)]
    assert end.states == bytes([CREATED] * 5 + [FAILED] + [CREATED] * 2)


async def test_a_part_that_used_up_its_tries_does_not_take_the_others_along() -> None:
    world = await world_of(4, chunk_size=2, retry=RetrySchedule(max_attempts=2))
    world.receiver.answers = [Refused(status=500, message="The receiver answered 500.") for _ in range(2)]
    await world.deliverer.deliver([ref()])
    world.clock.advance(timedelta(minutes=1))

    await world.deliverer.wake(HOOK)

    end = await world.state(ref())
    assert end.states == bytes([FAILED, FAILED, CREATED, CREATED])
    assert [each.reason for each in end.failures] == ["The receiver answered 500."] * 2


async def test_a_row_that_arrived_in_the_end_keeps_no_word_of_why_it_waited() -> None:
    world = await world_of(2)
    why = (RowFailure(position=0, reason="left out: city"), RowFailure(position=1, reason="busy"))
    world.receiver.answers = [Taken(states=bytes([CREATED, PENDING]), failures=why)]
    await world.deliverer.deliver([ref()])
    world.clock.advance(timedelta(minutes=1))

    await world.deliverer.wake(HOOK)

    assert (await world.state(ref())).failures == why[:1]
