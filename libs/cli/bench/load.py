"""A closed loop of callers, and the sink that their contacts end in."""

import asyncio
import json
import random
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import orjson
from aiohttp import web

_DRAIN_SECONDS = 60


@dataclass(slots=True)
class Sink:
    """A webhook receiver that takes everything at once and counts it."""

    url: str = ""
    contacts: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        """One chunk."""
        body = orjson.loads(await request.read())
        self.contacts += len(body["contacts"])
        self._changed.set()
        return web.json_response({})

    async def received(self, contacts: int) -> None:
        """Returns when so many contacts have come in all. Raises TimeoutError when they do not."""
        async with asyncio.timeout(_DRAIN_SECONDS):
            while self.contacts < contacts:
                self._changed.clear()
                await self._changed.wait()


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
    """What a closed loop did: one latency per answered request."""

    seconds: float
    latencies_s: list[float]


async def closed_loop(url: str, key: str, *, size: int, callers: int, seconds: float) -> Loop:
    """Each caller sends its next import when the last one is answered. Raises when one is not answered with 202."""
    latencies: list[float] = []
    began = time.perf_counter()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    connector = aiohttp.TCPConnector(limit=callers)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session, asyncio.TaskGroup() as group:
        for _ in range(callers):
            group.create_task(_call(session, f"{url}/v1/contacts/import", size, began + seconds, latencies))
    return Loop(time.perf_counter() - began, latencies)


async def _call(session: aiohttp.ClientSession, url: str, size: int, until: float, latencies: list[float]) -> None:
    while (now := time.perf_counter()) < until:
        body = import_body(size)
        async with session.post(url, data=body, headers={"Idempotency-Key": str(uuid.uuid4())}) as response:
            answer = await response.read()
            if response.status != web.HTTPAccepted.status_code:
                raise RuntimeError(f"{url} answered {response.status}: {answer[:200]!r}")
        latencies.append(time.perf_counter() - now)


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
