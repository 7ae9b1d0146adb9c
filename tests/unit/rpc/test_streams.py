"""Which stream a call gets."""

import asyncio
from typing import Any

from libs.rpc.streams import Streams


class Opened:
    """A stream on which nothing comes."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    async def write(self, request: bytes) -> None:
        """Goes nowhere."""

    def __aiter__(self) -> Any:
        return self

    async def __anext__(self) -> bytes:
        await self.ended.wait()
        raise StopAsyncIteration

    def cancel(self) -> None:
        self.ended.set()


class Opening:
    """Opens streams and keeps them."""

    def __init__(self) -> None:
        self.opened: list[Opened] = []

    def __call__(self, service: str) -> Any:
        self.opened.append(Opened())
        return self.opened[-1]


async def test_the_stream_that_was_used_last_is_taken_first() -> None:
    streams = Streams(Opening())
    first, second = streams.take("a"), streams.take("a")
    assert first
    assert second
    streams.give_back(first)
    streams.give_back(second)

    assert streams.take("a") is second
    assert streams.take("a") is first
    streams.close()


async def test_old_stream_is_ended_and_another_opened() -> None:
    opening = Opening()
    streams = Streams(opening, life=lambda: 0.0)
    stream = streams.take("a")
    assert stream

    streams.give_back(stream)

    assert opening.opened[0].ended.is_set()
    assert streams.take("a") is not stream
    streams.close()


async def test_no_more_than_so_many_are_taken_at_once() -> None:
    streams = Streams(Opening())
    taken = [stream for stream in (streams.take("a") for _ in range(20)) if stream]

    assert len(taken) == 16
    streams.give_back(taken[0])
    assert streams.take("a") is taken[0]


async def test_stream_that_ended_by_itself_is_not_given_again() -> None:
    opening = Opening()
    streams = Streams(opening)
    stream = streams.take("a")
    assert stream
    streams.give_back(stream)
    opening.opened[0].ended.set()
    while stream.is_good(0.0):  # noqa: ASYNC110 - its reader needs some turns of the loop
        await asyncio.sleep(0)

    assert streams.take("a") is not stream


async def test_closing_ends_the_idle_ones_and_the_others_when_they_come_back() -> None:
    opening = Opening()
    streams = Streams(opening)
    idle, busy = streams.take("a"), streams.take("a")
    assert idle
    assert busy
    streams.give_back(idle)

    streams.close()

    assert [opened.ended.is_set() for opened in opening.opened] == [True, False]
    streams.give_back(busy)
    assert opening.opened[1].ended.is_set()
    assert streams.take("a") is None
