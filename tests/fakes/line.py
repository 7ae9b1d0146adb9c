"""The line to a system outside: a server on a free port that answers out of turn when the test says so."""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import web


@dataclass(frozen=True)
class Say:
    """Answers this, and does nothing."""

    status: int
    body: Any = None
    """JSON, or bytes as they are."""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CutAfter:
    """Does what was asked, and cuts the line instead of answering."""


@dataclass(frozen=True)
class Hang:
    """Does nothing, and answers nothing."""


HTML = Say(200, b"<!doctype html><title>Sign in</title>", {"Content-Type": "text/html"})

Trick = Say | CutAfter | Hang | None
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Call:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Line:
    """`async with` it, then `url`. `tricks` are for the requests to come that `tricked` chooses, None for none."""

    def __init__(self, answer: Answer) -> None:
        self.tricks: deque[Trick] = deque()
        self.tricked: Callable[[web.Request], bool] = lambda request: True
        self.always: Trick = None
        self.calls: list[Call] = []
        self.at_once = self.most_at_once = 0
        self.url = ""
        self._answer = answer
        self._over = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        application = web.Application(client_max_size=16 * 1024 * 1024)
        application.router.add_route("*", "/{tail:.*}", self._take)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._over.set()
        assert self._runner is not None
        await self._runner.cleanup()

    def paths(self) -> list[str]:
        return [f"{call.method} {call.path}" for call in self.calls]

    async def _take(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.calls.append(Call(request.method, request.path, dict(request.query), headers, await request.read()))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(0)
            return await self._play(request)
        finally:
            self.at_once -= 1

    async def _play(self, request: web.Request) -> web.StreamResponse:
        trick = self.always
        if self.tricks and self.tricked(request):
            trick = self.tricks.popleft()
        match trick:
            case Say(status=status, body=bytes(body), headers=headers):
                return web.Response(status=status, body=body, headers=headers)
            case Say(status=status, body=body, headers=headers):
                return web.json_response(body, status=status, headers=headers)
            case Hang():
                await self._over.wait()
                return web.Response(status=500)
            case CutAfter():
                await self._answer(request)
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            case None:
                return await self._answer(request)
