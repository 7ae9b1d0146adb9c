"""Who waits for a place gets one in turn, or is told in time that there is none."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from services.delivery.domain.destination import Destination, DestinationId, DestinationKind
from services.delivery.handler.lanes import Lanes, LanesClosedError, NoPlaceError
from tests.unit.delivery.world import NOW

HOOK = Destination(
    destination_id=DestinationId("dest-hook"),
    name="hook",
    kind=DestinationKind.WEBHOOK,
    created_at=NOW,
    url="https://receiver.example/",
    concurrency=1,
)


class Guests:
    """Each stays until it is told to go."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self._go = dict[str, asyncio.Event]()
        self.inside = list[str]()

    def come(self, name: str, destination: Destination = HOOK) -> "asyncio.Task[None]":
        self._go[name] = asyncio.Event()
        return asyncio.create_task(self._stay(name, destination))

    def tell(self, name: str) -> None:
        self._go[name].set()

    async def go(self, name: str) -> None:
        self.tell(name)
        await settle()

    async def _stay(self, name: str, destination: Destination) -> None:
        async with self._lanes.enter(destination):
            self.inside.append(name)
            await self._go[name].wait()
        self.inside.remove(name)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
async def guests() -> Guests:
    return Guests(Lanes(patience=timedelta(minutes=1)))


async def test_places_are_given_in_the_order_of_asking_and_not_to_who_left(guests: Guests) -> None:
    tasks = {name: guests.come(name) for name in "abcd"}
    await settle()
    tasks["b"].cancel()
    await guests.go("a")

    assert guests.inside == ["c"]
    await guests.go("c")
    assert guests.inside == ["d"]
    await guests.go("d")
    last = guests.come("e")
    await settle()
    assert guests.inside == ["e"]
    await guests.go("e")
    await last


async def test_a_place_that_is_given_to_one_who_leaves_goes_on_to_the_next(guests: Guests) -> None:
    first, second, third = (guests.come(name) for name in "abc")
    await settle()

    guests.tell("a")
    await asyncio.sleep(0)  # the first leaves, and the second does not know yet
    second.cancel()
    await settle()

    assert guests.inside == ["c"]
    await guests.go("c")
    await asyncio.gather(first, third)


async def test_more_places_are_for_those_who_wait_and_fewer_for_nobody_new(guests: Guests) -> None:
    tasks = [guests.come(name) for name in "abc"]
    await settle()

    tasks.append(guests.come("d", replace(HOOK, concurrency=3)))
    await settle()
    assert guests.inside == ["a", "b", "c"]
    tasks.append(guests.come("e"))
    for name in "ab":
        await guests.go(name)
    assert guests.inside == ["c"]
    for name in "cde":
        await guests.go(name)
    await asyncio.gather(*tasks)


async def test_who_waits_too_long_is_told_that_there_is_no_place() -> None:
    guests = Guests(Lanes(patience=timedelta(milliseconds=1)))
    first, second = guests.come("a"), guests.come("b")

    with pytest.raises(NoPlaceError):
        await second

    assert guests.inside == ["a"]
    await guests.go("a")
    await first


async def test_who_waits_when_it_closes_is_not_let_in() -> None:
    lanes = Lanes(patience=timedelta(minutes=1))
    guests = Guests(lanes)
    first, second = guests.come("a"), guests.come("b")
    await settle()

    lanes.close()
    await guests.go("a")

    with pytest.raises(LanesClosedError):
        await second
    await first
