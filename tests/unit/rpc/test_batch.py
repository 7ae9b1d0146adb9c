"""Batches: few calls, in order, and every asker gets its own result."""

import asyncio
from collections.abc import Sequence
from contextvars import ContextVar
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.rpc import Batch, BatchMismatch

MARK: ContextVar[str] = ContextVar("mark", default="none")


class Sends:
    """A send that is answered when the test says so."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.started = asyncio.Event()
        self.gates: list[asyncio.Event] = []

    async def __call__(self, items: Sequence[int]) -> Sequence[int]:
        gate = asyncio.Event()
        self.calls.append(list(items))
        self.gates.append(gate)
        self.started.set()
        await gate.wait()
        return [item * 10 for item in items]

    async def until_calls(self, count: int) -> None:
        while len(self.calls) < count:
            self.started.clear()
            await self.started.wait()


def _ask(batch: Batch[int, int], *items: int) -> list[asyncio.Task[int]]:
    return [asyncio.create_task(batch.ask(item)) for item in items]


async def test_idle_batch_asks_at_once() -> None:
    sends = Sends()
    batch = Batch(sends)

    asked = _ask(batch, 1)
    await sends.until_calls(1)

    assert sends.calls == [[1]]
    sends.gates[0].set()
    assert await asked[0] == 10


async def test_what_queued_while_calls_were_in_flight_goes_in_the_next() -> None:
    sends = Sends()
    batch = Batch(sends, in_flight=1)
    first = _ask(batch, 1)
    await sends.until_calls(1)

    rest = _ask(batch, 2, 3, 4)
    await asyncio.sleep(0)
    sends.gates[0].set()
    await sends.until_calls(2)
    sends.gates[1].set()

    assert await asyncio.gather(*first, *rest) == [10, 20, 30, 40]
    assert sends.calls == [[1], [2, 3, 4]]


async def test_batch_that_rests_gathers_for_as_long_as_its_last_call_took() -> None:
    sends = Sends()
    batch = Batch(sends, in_flight=1, rest=timedelta(seconds=5))
    first = _ask(batch, 1)
    await sends.until_calls(1)
    await asyncio.sleep(0.05)  # the time that it is to gather
    sends.gates[0].set()
    await asyncio.gather(*first)

    second = _ask(batch, 2)
    await asyncio.sleep(0)
    third = _ask(batch, 3)
    await sends.until_calls(2)

    assert sends.calls == [[1], [2, 3]]
    sends.gates[1].set()
    assert await asyncio.gather(*second, *third) == [20, 30]


async def test_no_more_calls_are_in_flight_than_said() -> None:
    sends = Sends()
    batch = Batch(sends, in_flight=2)
    asked = _ask(batch, 1)
    await sends.until_calls(1)
    asked += _ask(batch, 2)
    await sends.until_calls(2)

    asked += _ask(batch, 3, 4)
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert sends.calls == [[1], [2]]
    sends.gates[1].set()
    await sends.until_calls(3)
    assert sends.calls[2] == [3, 4]
    for gate in sends.gates:
        gate.set()
    assert await asyncio.gather(*asked) == [10, 20, 30, 40]


async def test_limit_cuts_a_call_and_the_other_slot_takes_the_rest() -> None:
    sends = Sends()
    batch = Batch(sends, limit=2, in_flight=2)

    asked = _ask(batch, 1, 2, 3, 4, 5)
    await sends.until_calls(2)
    sends.gates[0].set()
    await sends.until_calls(3)
    for gate in sends.gates:
        gate.set()

    assert await asyncio.gather(*asked) == [10, 20, 30, 40, 50]
    assert sends.calls == [[1, 2], [3, 4], [5]]


async def test_weights_cut_a_call_and_a_heavy_item_goes_alone() -> None:
    sends = Sends()
    batch = Batch(sends, in_flight=1, weigh=lambda item: item, max_weight=10)

    asked = _ask(batch, 6, 4, 50, 1)
    for count in (1, 2, 3):
        await sends.until_calls(count)
        sends.gates[count - 1].set()

    assert await asyncio.gather(*asked) == [60, 40, 500, 10]
    assert sends.calls == [[6, 4], [50], [1]]


async def test_failing_send_fails_its_items_only() -> None:
    async def send(items: Sequence[int]) -> Sequence[int]:
        if 1 in items:
            raise ConnectionError
        return items

    batch = Batch(send, limit=2, in_flight=1)

    results = await asyncio.gather(*_ask(batch, 1, 2, 3), return_exceptions=True)

    assert [type(result) for result in results] == [ConnectionError, ConnectionError, int]


async def test_answer_of_the_wrong_length_fails_all_its_items() -> None:
    async def send(items: Sequence[int]) -> Sequence[int]:
        return items[1:]

    results = await asyncio.gather(*_ask(Batch(send), 1, 2), return_exceptions=True)

    assert all(isinstance(result, BatchMismatch) for result in results)


async def test_cancelling_one_asker_leaves_the_others() -> None:
    sends = Sends()
    batch = Batch(sends, in_flight=1)
    sent, other = _ask(batch, 1, 2)
    await sends.until_calls(1)
    queued, behind = _ask(batch, 3, 4)
    await asyncio.sleep(0)

    sent.cancel()
    queued.cancel()
    await asyncio.sleep(0)
    sends.gates[0].set()
    await sends.until_calls(2)
    sends.gates[1].set()

    assert [await other, await behind] == [20, 40]
    assert sends.calls == [[1, 2], [4]]
    assert sent.cancelled()
    assert queued.cancelled()


async def test_send_runs_outside_of_the_askers_context() -> None:
    async def send(items: Sequence[int]) -> Sequence[str]:
        return [MARK.get() for _ in items]

    MARK.set("asker")

    assert await Batch(send).ask(1) == "none"


async def test_who_asks_again_in_the_tick_of_the_answer_is_answered_again() -> None:
    async def send(items: Sequence[int]) -> Sequence[int]:
        return items

    batch = Batch(send, in_flight=1)

    async with asyncio.timeout(5):
        answers = [await batch.ask(item) for item in range(3)]

    assert answers == [0, 1, 2]


async def test_sends_again_after_a_failure() -> None:
    fails = [True, False]

    async def send(items: Sequence[int]) -> Sequence[int]:
        if fails.pop(0):
            raise ConnectionError
        return items

    batch = Batch(send)
    with pytest.raises(ConnectionError):
        await batch.ask(1)

    assert await batch.ask(2) == 2


@given(
    items=st.lists(st.integers(0, 30), max_size=40),
    limit=st.integers(1, 7),
    in_flight=st.integers(1, 3),
    max_weight=st.integers(1, 40),
)
def test_every_asker_gets_its_own_result(items: list[int], limit: int, in_flight: int, max_weight: int) -> None:
    calls: list[list[int]] = []

    async def send(sent: Sequence[int]) -> Sequence[int]:
        calls.append(list(sent))
        await asyncio.sleep(0)
        return [item + 1 for item in sent]

    async def ask_all() -> list[int]:
        batch = Batch(send, limit=limit, in_flight=in_flight, weigh=lambda item: item, max_weight=max_weight)
        return await asyncio.gather(*(batch.ask(item) for item in items))

    assert asyncio.run(ask_all()) == [item + 1 for item in items]
    assert [item for call in calls for item in call] == items
    assert all(len(call) <= limit and (sum(call) <= max_weight or len(call) == 1) for call in calls)
