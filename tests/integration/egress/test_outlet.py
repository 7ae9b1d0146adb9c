"""One question over a real line, to a server that says what it is told."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from libs.egress import EgressRules, Outlet, Reply, Unanswered, parse_networks
from tests.fakes.raw import RawServer, Script, cut, hang, say

SOON = timedelta(seconds=2)


@pytest.fixture
async def outlet() -> AsyncIterator[Outlet]:
    outlet = Outlet.open(EgressRules(parse_networks("127.0.0.0/8")))
    yield outlet
    await outlet.close()


@pytest.fixture
async def server() -> AsyncIterator[RawServer]:
    async with RawServer() as server:
        yield server


def in_turn(*scripts: Script) -> Script:
    left = list(scripts)

    async def script(writer: asyncio.StreamWriter) -> None:
        await left.pop(0)(writer)

    return script


async def ask(outlet: Outlet, method: str, url: str, within: timedelta = timedelta(seconds=15)) -> Reply | Unanswered:
    return await outlet.ask(method, url, headers={"X-A": "b"}, body=b"{}", timeout=within)


@pytest.mark.parametrize(("method", "asked"), [("PUT", 3), ("POST", 2)])
async def test_only_what_may_be_repeated_is_asked_again_when_a_kept_line_was_cut(
    outlet: Outlet, server: RawServer, method: str, asked: int
) -> None:
    server.script = in_turn(say(200), cut, say(201))
    await ask(outlet, method, server.url)

    answer = await ask(outlet, method, server.url)

    assert isinstance(answer, Reply if method == "PUT" else Unanswered)
    assert server.asked == asked


async def test_a_status_stands_when_the_body_comes_too_late(outlet: Outlet, server: RawServer) -> None:
    async def half(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 Said\r\nContent-Length: 9\r\n\r\nhalf")
        await hang(writer)

    server.script = half

    answer = await ask(outlet, "POST", server.url, SOON)

    assert isinstance(answer, Reply)
    assert (answer.status, answer.body, answer.whole) == (200, b"half", False)


async def test_no_answer_in_time_may_have_arrived(outlet: Outlet, server: RawServer) -> None:
    server.script = hang

    answer = await ask(outlet, "POST", server.url, SOON)

    assert answer == Unanswered(message="The receiver did not answer in time.", reached=True)


async def test_words_before_the_answer_are_passed_over(outlet: Outlet, server: RawServer) -> None:
    async def first_words(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n")
        await say(204)(writer)

    server.script = first_words

    answers = [await ask(outlet, "POST", server.url) for _ in range(2)]

    assert [answer.status for answer in answers if isinstance(answer, Reply)] == [204, 204]
    assert server.connections == 1


@pytest.mark.parametrize("headers", [{"X-A": "b\r\nX-B: c"}, {"X-A\n": "b"}, {"X-A": "\0"}])
async def test_a_header_that_would_be_two_is_not_sent(
    outlet: Outlet, server: RawServer, headers: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match="line break"):
        await outlet.ask("POST", server.url, headers=headers, body=b"{}", timeout=SOON)

    assert server.connections == 0


async def test_a_line_on_which_more_came_than_was_asked_is_not_used_again(outlet: Outlet, server: RawServer) -> None:
    async def twice(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 Said\r\nContent-Length: 0\r\n\r\n" * 2)
        await writer.drain()

    server.script = twice

    for _ in range(2):
        assert isinstance(await ask(outlet, "POST", server.url), Reply)

    assert server.connections == 2
