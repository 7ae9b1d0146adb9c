"""Convoys: who comes together goes together, and nobody waits longer than for one group."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from services.ingestion.handler.convoys import Convoys

LONG = timedelta(hours=1)
ENDLESS = 1e12


class Travellers:
    """Imports on their way, each until the test lets it arrive."""

    def __init__(self, convoys: Convoys) -> None:
        self._convoys = convoys
        self._gates: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.under_way: list[str] = []

    def come(self, *names: str) -> None:
        for name in names:
            self._gates[name] = asyncio.Event()
            self._tasks[name] = asyncio.create_task(self._travel(name))

    async def arrive(self, *names: str) -> None:
        for name in names:
            self._gates[name].set()
        await asyncio.gather(*(self._tasks[name] for name in names))

    async def give_up(self, name: str) -> None:
        self._tasks[name].cancel()
        with pytest.raises(asyncio.CancelledError):
            await self._tasks[name]

    async def _travel(self, name: str) -> None:
        async with self._convoys.join():
            self.under_way.append(name)
            await self._gates[name].wait()


async def _settled() -> None:
    """Everyone has gone as far as the way is free: that takes a few ticks, and never five."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_one_alone_goes_at_once() -> None:
    travellers = Travellers(Convoys(patience=LONG))

    travellers.come("a")
    await _settled()

    assert travellers.under_way == ["a"]
    await travellers.arrive("a")


async def test_who_comes_in_one_tick_goes_in_one_group() -> None:
    travellers = Travellers(Convoys(patience=LONG))

    travellers.come("a", "b", "c")
    await _settled()

    assert travellers.under_way == ["a", "b", "c"]
    await travellers.arrive("a", "b", "c")


async def test_who_comes_meanwhile_goes_together_when_the_last_of_the_group_has_arrived() -> None:
    travellers = Travellers(Convoys(patience=LONG, linger=0, way_back=timedelta(0)))
    travellers.come("a", "b")
    await _settled()
    travellers.come("c", "d")

    await travellers.arrive("a")
    await _settled()
    before = list(travellers.under_way)
    await travellers.arrive("b")
    await _settled()

    assert before == ["a", "b"]
    assert travellers.under_way == ["a", "b", "c", "d"]
    await travellers.arrive("c", "d")


async def test_who_gives_up_on_the_way_or_before_it_holds_up_nobody() -> None:
    travellers = Travellers(Convoys(patience=LONG))
    travellers.come("a")
    await _settled()
    travellers.come("b")
    await _settled()

    await travellers.give_up("b")
    await travellers.give_up("a")
    travellers.come("c")
    await _settled()

    assert travellers.under_way == ["a", "c"]
    await travellers.arrive("c")


async def test_nobody_waits_longer_than_patience_for_a_group_that_stalls() -> None:
    travellers = Travellers(Convoys(patience=timedelta(milliseconds=1)))
    travellers.come("stalled")
    await _settled()

    travellers.come("a")
    await travellers.arrive("a")
    travellers.come("b")
    await travellers.arrive("b")

    assert travellers.under_way == ["stalled", "a", "b"]
    await travellers.arrive("stalled")
    travellers.come("c")
    await _settled()
    assert travellers.under_way[-1] == "c"
    await travellers.arrive("c")


async def test_behind_a_group_the_next_one_gathers_until_all_are_back() -> None:
    travellers = Travellers(Convoys(patience=LONG, linger=ENDLESS))
    travellers.come("a", "b", "c")
    await _settled()
    travellers.come("d")
    await travellers.arrive("a", "b", "c")

    travellers.come("e", "f")
    await _settled()
    before = list(travellers.under_way)
    travellers.come("g")
    await _settled()

    assert before == ["a", "b", "c"]
    assert set(travellers.under_way[3:]) == {"d", "e", "f", "g"}
    await travellers.arrive("d", "e", "f", "g")


@pytest.mark.parametrize(
    "convoys",
    [
        pytest.param(lambda: Convoys(patience=LONG, linger=ENDLESS), id="as long as its way took"),
        pytest.param(
            lambda: Convoys(patience=LONG, linger=0, way_back=LONG), id="as long as callers take to come back"
        ),
    ],
)
async def test_a_group_gathers_also_when_nobody_waited_behind_the_last(convoys: Callable[[], Convoys]) -> None:
    travellers = Travellers(convoys())
    travellers.come("a", "b", "c", "d")
    await _settled()
    await travellers.arrive("a", "b", "c", "d")

    travellers.come("e", "f", "g")
    await _settled()
    before = list(travellers.under_way)
    travellers.come("h")
    await _settled()

    assert before == ["a", "b", "c", "d"]
    assert set(travellers.under_way[4:]) == {"e", "f", "g", "h"}
    await travellers.arrive("e", "f", "g", "h")


async def test_few_are_not_waited_for() -> None:
    travellers = Travellers(Convoys(patience=LONG, linger=ENDLESS))
    travellers.come("a", "b")
    await _settled()
    await travellers.arrive("a", "b")

    travellers.come("c")
    await _settled()

    assert travellers.under_way == ["a", "b", "c"]
    await travellers.arrive("c")


async def test_who_does_not_come_back_is_not_waited_for_longer_than_patience() -> None:
    travellers = Travellers(Convoys(patience=timedelta(milliseconds=1), linger=ENDLESS))
    travellers.come("a", "b", "c", "d")
    await _settled()
    await travellers.arrive("a", "b", "c", "d")

    travellers.come("e")
    await travellers.arrive("e")

    assert travellers.under_way == ["a", "b", "c", "d", "e"]


async def test_who_gives_up_while_a_group_gathers_leaves_nothing_behind() -> None:
    travellers = Travellers(Convoys(patience=LONG, linger=ENDLESS))
    travellers.come("a", "b", "c", "d")
    await _settled()
    await travellers.arrive("a", "b", "c", "d")
    travellers.come("e")
    await _settled()

    await travellers.give_up("e")
    travellers.come("f", "g", "h", "i")
    await _settled()

    assert set(travellers.under_way[4:]) == {"f", "g", "h", "i"}
    await travellers.arrive("f", "g", "h", "i")
