"""A webhook receiver over real HTTP that behaves as badly as it is told, and keeps a ledger of what took effect."""

import asyncio
from collections import Counter, deque
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, assert_never

from aiohttp import web


@dataclass(frozen=True)
class Status:
    """Answers, after it took the delivery if the status is 2xx."""

    code: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"ok"


@dataclass(frozen=True)
class Slow:
    """Takes the delivery and answers 200 only when the test says `go_on`."""


@dataclass(frozen=True)
class Hang:
    """Reads, and never answers."""


@dataclass(frozen=True)
class Cut:
    """Takes the delivery and cuts the line instead of answering."""

    once: bool = False
    """Only when the delivery first comes; answers 200 when it comes again."""


@dataclass(frozen=True)
class Endless:
    """Takes the delivery and answers 200 with a body that does not end."""


@dataclass(frozen=True)
class EndlessHeader:
    """Takes the delivery and answers with a header that does not end."""


Behaviour = Status | Slow | Hang | Cut | Endless | EndlessHeader


@dataclass(frozen=True)
class Arrival:
    """One request as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def webhook_id(self) -> str:
        return self.headers["webhook-id"]


class WebhookFake:
    """`async with WebhookFake() as fake:`, then `fake.url`. `next` gives the behaviour of the requests to come."""

    def __init__(self, *, idempotent: bool = True) -> None:
        self.next: deque[Behaviour] = deque()
        self.default: Behaviour = Status()
        self.arrivals: list[Arrival] = []
        self.effects: Counter[str] = Counter()
        """Writes by webhook-id. An idempotent receiver never writes one twice."""
        self.written_bytes = 0
        """Of an endless body."""
        self.arrived = asyncio.Event()
        self.go_on = asyncio.Event()
        self.url = ""
        self._idempotent = idempotent
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        application = web.Application(client_max_size=16 * 1024 * 1024)
        application.router.add_route("*", "/{tail:.*}", self._answer)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/hook"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.go_on.set()
        assert self._runner is not None
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        arrival = Arrival({name.lower(): value for name, value in request.headers.items()}, await request.read())
        behaviour = self.next.popleft() if self.next else self.default
        self.arrivals.append(arrival)
        self.arrived.set()
        match behaviour:
            case Status(code=code, headers=headers, body=body):
                if 200 <= code < 300:
                    self._take(arrival)
                return web.Response(status=code, headers=headers, body=body)
            case Slow():
                await self.go_on.wait()
                self._take(arrival)
                return web.Response()
            case Hang():
                await self.go_on.wait()
                return web.Response(status=500)
            case Cut(once=once):
                is_repeat = self.effects[arrival.webhook_id] > 0
                self._take(arrival)
                return web.Response() if once and is_repeat else _cut(request)
            case Endless():
                self._take(arrival)
                return await self._stream_endlessly(request)
            case EndlessHeader():
                self._take(arrival)
                return await _stream_header(request)
            case unreachable:
                assert_never(unreachable)

    def _take(self, arrival: Arrival) -> None:
        if not (self._idempotent and self.effects[arrival.webhook_id]):
            self.effects[arrival.webhook_id] += 1

    async def _stream_endlessly(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        block = b"x" * 65536
        try:
            while not self.go_on.is_set():
                await response.write(block)
                self.written_bytes += len(block)
        except ConnectionError:
            pass
        return response


def _cut(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def _stream_header(request: web.Request) -> web.Response:
    assert isinstance(request.transport, asyncio.Transport)
    request.transport.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    for _ in range(64):
        request.transport.write(b"a" * 65536)
    await asyncio.sleep(0)
    return _cut(request)
