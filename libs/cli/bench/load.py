"""A closed loop of callers, and the sink that their contacts end in."""

import asyncio
import itertools
import json
import random
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import aiohttp
import msgspec
from aiohttp import web

_DRAIN_SECONDS = 120


class _Chunk(msgspec.Struct, gc=False):
    """What a sink looks at: it counts contacts and does not read them, since it shares a process with the callers."""

    contacts: list[msgspec.Raw]
    correlation_id: str = ""


_chunks = msgspec.json.Decoder(_Chunk)


@dataclass(slots=True)
class Sink:
    """A webhook receiver that takes everything at once and counts it."""

    url: str = ""
    contacts: int = 0
    arrivals: dict[str, float] = field(default_factory=dict)
    """When the first chunk of each correlation id came, by the clock of `time.perf_counter`."""
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        """One chunk."""
        chunk = _chunks.decode(await request.read())
        self.contacts += len(chunk.contacts)
        self.arrivals.setdefault(chunk.correlation_id, time.perf_counter())
        self._changed.set()
        return web.json_response({})

    def forget(self) -> None:
        """Begin to count anew."""
        self.contacts = 0
        self.arrivals.clear()

    async def received(self, contacts: int) -> float:
        """Returns when so many contacts have come in all, with the seconds that took. Raises TimeoutError otherwise."""
        began = time.perf_counter()
        async with asyncio.timeout(_DRAIN_SECONDS):
            while self.contacts < contacts:
                self._changed.clear()
                await self._changed.wait()
        return time.perf_counter() - began


@asynccontextmanager
async def running_sink() -> AsyncIterator[Sink]:
    """A sink on a free port of loopback."""
    sink = Sink()
    application = web.Application(client_max_size=64 * 1024**2)
    application.router.add_post("/", sink.take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    sink.url = f"http://{host}:{port}/"
    try:
        yield sink
    finally:
        await runner.cleanup()


@dataclass(frozen=True, slots=True)
class Loop:
    """What a closed loop did: one latency per answered request, and when each was sent, by its correlation id."""

    seconds: float
    latencies_s: list[float]
    sent_at: dict[str, float]


async def closed_loop(url: str, key: str, *, size: int, callers: int, seconds: float) -> Loop:
    """Each caller sends its next import when the last one is answered. Raises when one is not answered with 202."""
    until = time.perf_counter() + seconds
    return await _loop(url, key, size=size, callers=callers, more=lambda: time.perf_counter() < until)


async def counted_loop(url: str, key: str, *, size: int, callers: int, imports: int) -> Loop:
    """The same with so many imports in all."""
    left = itertools.count(imports, -1)
    return await _loop(url, key, size=size, callers=callers, more=lambda: next(left) > 0)


async def flood(url: str, key: str, *, bodies: Sequence[bytes], over: asyncio.Event) -> int:
    """One caller who sends these in turn, each when the last one is answered, until it is over. How many were answered.

    They are written beforehand: what a partner's own machine does must not keep this one from anything.
    """
    loop = Loop(0.0, [], {})
    async with _session(key, connections=1) as session:
        for body in itertools.cycle(bodies):
            if over.is_set():
                break
            await _send(session, f"{url}/v1/contacts/import", body, loop)
    return len(loop.latencies_s)


async def paced_loop(url: str, key: str, *, size: int, rate: float, seconds: float) -> Loop:
    """So many imports a second, answered or not. A latency counts from when its import was due, late or not."""
    loop = Loop(0.0, [], {})
    began = time.perf_counter()
    async with _session(key, connections=0) as session, asyncio.TaskGroup() as group:
        for place in range(max(1, round(rate * seconds))):
            due = began + place / rate
            await asyncio.sleep(due - time.perf_counter())
            group.create_task(_import(session, f"{url}/v1/contacts/import", size, loop, due=due))
    return replace(loop, seconds=time.perf_counter() - began)


async def _loop(url: str, key: str, *, size: int, callers: int, more: Callable[[], bool]) -> Loop:
    loop = Loop(0.0, [], {})
    began = time.perf_counter()
    async with _session(key, connections=callers) as session, asyncio.TaskGroup() as group:
        for _ in range(callers):
            group.create_task(_call(session, f"{url}/v1/contacts/import", size, more, loop))
    return replace(loop, seconds=time.perf_counter() - began)


def _session(key: str, *, connections: int) -> aiohttp.ClientSession:
    """With at most so many connections; 0: any number."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=connections), headers=headers)


async def _call(session: aiohttp.ClientSession, url: str, size: int, more: Callable[[], bool], loop: Loop) -> None:
    while more():
        await _import(session, url, size, loop)


async def _import(session: aiohttp.ClientSession, url: str, size: int, loop: Loop, *, due: float | None = None) -> None:
    await _send(session, url, import_body(size), loop, due=due)


async def _send(session: aiohttp.ClientSession, url: str, body: bytes, loop: Loop, *, due: float | None = None) -> None:
    key = str(uuid.uuid4())
    loop.sent_at[key] = now = time.perf_counter()
    async with session.post(url, data=body, headers={"Idempotency-Key": key, "X-Correlation-ID": key}) as response:
        answer = await response.read()
        if response.status != web.HTTPAccepted.status_code:
            raise RuntimeError(f"{url} answered {response.status}: {answer[:200]!r}")
    loop.latencies_s.append(time.perf_counter() - (now if due is None else due))


def import_body(size: int) -> bytes:
    """Contacts that no other request has, in the shapes that partners send."""
    contacts = [
        {
            "phone": _SPELLINGS[place % 4].format(random.randrange(10**8)),  # noqa: S311 — numbers to import, no secrets
            "tags": ["лид", "сайт"],
            "additionalFields": {"first_name": "Иван", "source": "landing", "campaign": "winter", "n": place},
        }
        for place in range(size)
    ]
    return json.dumps(contacts, ensure_ascii=False).encode()


_SPELLINGS = ("+791{:08d}", "891{:08d}", "+7 91{:08d}", "791{:08d}")
