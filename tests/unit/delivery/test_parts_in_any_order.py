"""Whatever a destination answers and wherever a process dies, every row ends in one state, and none arrives twice."""

import asyncio
import contextlib
from collections import Counter
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.delivery.domain.answer import Answer, NoAnswer, Refused, Taken
from services.delivery.domain.delivery import Attempt, Delivery, Parcel, RowState
from services.delivery.domain.destination import RetrySchedule
from services.delivery.store.memory import MemoryLedger
from tests.unit.delivery.world import HOOK, Crash, World, ref

SIZES = st.integers(min_value=1, max_value=9)
STATUSES = st.sampled_from([200, 301, 400, 401, 404, 409, 413, 422, 429, 500, 502, 503])
ROW_STATES = st.sampled_from([RowState.CREATED, RowState.UPDATED, RowState.PENDING, RowState.FAILED])
FINAL = {RowState.CREATED, RowState.UPDATED, RowState.FAILED, RowState.UNKNOWN}


class _Row(list[RowState]):
    """States that are given to the rows of a part, again from the first when there are more rows."""


STEPS = st.lists(
    st.one_of(
        st.lists(ROW_STATES, min_size=1, max_size=4).map(_Row),
        STATUSES.map(lambda status: Refused(status=status, message="no")),
        st.booleans().map(lambda reached: NoAnswer(message="cut", reached=reached)),
        st.sampled_from(["dies while sending", "dies before the commit", "dies after the commit"]),
    ),
    max_size=40,
)


class Frail(MemoryLedger):
    """Dies around a commit when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.dies = ""

    async def record(self, delivery: Delivery, attempt: Attempt | None = None) -> bool:
        dies, self.dies = self.dies, ""
        if dies == "dies before the commit":
            raise Crash
        stored = await super().record(delivery, attempt)
        if dies == "dies after the commit":
            raise Crash
        return stored


class Witness:
    """A destination that does as scripted, and counts how often each row may have arrived."""

    def __init__(self, ledger: Frail, steps: list[_Row | Refused | NoAnswer | str]) -> None:
        self._ledger = ledger
        self._steps = steps
        self.may_have = Counter[int]()
        self.parts: dict[str, tuple[int, ...]] = {}
        self.sent = 0

    async def send(self, parcel: Parcel) -> Answer:
        self.sent += 1
        rows = parcel.ref.positions or tuple(range(parcel.chunk.size))
        assert self.parts.setdefault(parcel.part_id, rows) == rows
        step = self._steps.pop(0) if self._steps else _Row([RowState.CREATED])
        if isinstance(step, str):
            self.may_have.update(rows)
            if step == "dies while sending":
                raise Crash
            self._ledger.dies = step
            return _taken(_Row([RowState.CREATED]), rows)
        if isinstance(step, _Row):
            answer = _taken(step, rows)
            self.may_have.update(row for row, state in zip(rows, answer.states, strict=True) if state in FINAL)
            return answer
        if isinstance(step, NoAnswer):
            self.may_have.update(rows if step.reached else ())
        elif step.status in {200, 502}:
            self.may_have.update(rows)
        return step


def _taken(states: _Row, rows: tuple[int, ...]) -> Taken:
    return Taken(states=bytes(states[at % len(states)] for at in range(len(rows))), message="again")


async def _live(world: World) -> None:
    """Processes come and go until nothing is left to be done."""
    with contextlib.suppress(Crash):
        await world.deliverer.deliver([ref()])
    for _ in range(400):
        destination = await world.destinations.find(HOOK)
        assert destination is not None
        if destination.paused:
            await world.resume(HOOK)
        world = world.restarted()
        world.clock.advance(timedelta(hours=9))
        try:
            await world.deliverer.deliver([ref()])
            while await world.deliverer.wake(HOOK):
                pass
        except Crash:
            continue
        if not await world.deliverer.due():
            return
    raise AssertionError("it never ends")


@given(size=SIZES, chunk_size=SIZES, idempotent=st.booleans(), steps=STEPS)
def test_every_row_ends_in_one_state_and_the_states_add_up(
    *, size: int, chunk_size: int, idempotent: bool, steps: list[_Row | Refused | NoAnswer | str]
) -> None:
    ledger = Frail()
    witness = Witness(ledger, steps)
    world = World(ledger=ledger, receiver=witness)  # type: ignore[arg-type]  # of the same form

    async def run() -> Delivery:
        await world.hook(idempotent=idempotent, chunk_size=chunk_size, retry=RetrySchedule(max_attempts=4))
        world.chunks.keep("job.0", size=size)
        await _live(world)
        return await world.state(ref())

    end = asyncio.run(run())

    assert end.is_final
    assert len(end.states) == size
    assert set(end.states) <= FINAL
    assert len({failure.position for failure in end.failures}) == len(end.failures)
    if not idempotent:
        assert max(witness.may_have.values(), default=0) <= 1
