"""A system that takes some rows and then has enough: the rest waits for it, however long that takes."""

from datetime import timedelta

from services.delivery.domain.answer import Answer, Taken
from services.delivery.domain.delivery import DeliveryState, Parcel, RowState
from services.delivery.domain.destination import RetrySchedule
from services.delivery.domain.flow import UNTROUBLED
from services.delivery.domain.parts import BOUNDS
from tests.unit.delivery.world import NOW, World, ref

CREATED, PENDING = bytes([RowState.CREATED]), bytes([RowState.PENDING])
AFTER = timedelta(seconds=30)


class Busy:
    """Takes two rows of each part, then answers 429."""

    def __init__(self) -> None:
        self.parts: list[tuple[int, ...]] = []

    async def send(self, parcel: Parcel) -> Answer:
        self.parts.append(parcel.ref.positions or tuple(range(parcel.chunk.size)))
        taken = min(2, parcel.count)
        rest = parcel.count - taken
        return Taken(
            states=CREATED * taken + PENDING * rest,
            status=429 if rest else 200,
            retry_after=AFTER if rest else None,
            message="busy" if rest else "",
            strained=rest > 0,
        )


async def test_rows_that_make_way_slowly_are_not_given_up() -> None:
    busy = Busy()
    world = World(receiver=busy)  # type: ignore[arg-type]  # of the same form
    await world.hook(chunk_size=5, retry=RetrySchedule(max_attempts=2))
    world.chunks.keep("job.0", size=20)

    await world.deliverer.deliver([ref()])
    while (delivery := await world.state(ref())).due_at is not None:
        world.clock.advance(delivery.due_at - world.clock.now())
        await world.deliverer.deliver([ref()])

    assert delivery.state is DeliveryState.DONE
    assert delivery.states == CREATED * 20
    assert len(busy.parts) == 10


async def test_after_it_had_enough_no_other_part_is_sent_before_its_time() -> None:
    busy = Busy()
    world = World(receiver=busy)  # type: ignore[arg-type]  # of the same form
    await world.hook(chunk_size=5)
    world.chunks.keep("job.0", size=20)

    await world.deliverer.deliver([ref()])

    delivery = await world.state(ref())
    assert busy.parts == [(0, 1, 2, 3, 4)]
    assert delivery.due_at is not None
    assert delivery.due_at - NOW >= AFTER


async def test_it_teaches_the_pace_as_a_refusal_does() -> None:
    world = World()
    await world.hook()
    [destination] = await world.destinations.list()
    answer = Taken(states=CREATED + PENDING, status=429, retry_after=AFTER, strained=True)

    flow = UNTROUBLED.answered(answer, destination, started_at=NOW, now=NOW, speed=10.0, bounds=BOUNDS)

    opens_at = flow.opens_at(destination, now=NOW)
    assert opens_at is not None
    assert opens_at >= NOW + AFTER
