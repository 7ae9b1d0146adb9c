"""When a line of the log is written."""

import asyncio
import io

import pytest

from libs.telemetry.lines import LineWriter


class Stream(io.StringIO):
    """Remembers how often it was written to."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0

    def write(self, text: str, /) -> int:
        self.writes += 1
        return super().write(text)


async def test_lines_of_one_tick_are_one_write_at_its_end() -> None:
    stream = Stream()
    writer = LineWriter(stream)

    writer.info("a")
    writer.debug("b")
    during = stream.getvalue()
    await asyncio.sleep(0)

    assert (during, stream.getvalue(), stream.writes) == ("", "a\nb\n", 1)


@pytest.mark.parametrize("level", ["warning", "error", "critical", "msg"])
async def test_what_may_be_the_last_line_is_written_at_once_and_in_its_order(level: str) -> None:
    stream = Stream()
    writer = LineWriter(stream)

    writer.info("before")
    getattr(writer, level)("now")

    assert stream.getvalue() == "before\nnow\n"


def test_without_an_event_loop_every_line_is_written_at_once() -> None:
    stream = Stream()

    LineWriter(stream).info("a")

    assert stream.getvalue() == "a\n"


async def test_a_thread_writes_at_once_beside_a_loop() -> None:
    stream = Stream()
    writer = LineWriter(stream)

    writer.info("of the loop")
    await asyncio.to_thread(writer.info, "of a thread")

    assert sorted(stream.getvalue().split()) == sorted(["of", "the", "loop", "of", "a", "thread"])
