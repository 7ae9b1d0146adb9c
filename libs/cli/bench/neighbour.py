"""What a destination that never answers costs the others: how late their contacts arrive without it and beside it."""

import asyncio
import statistics
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from libs.cli.bench.figures import percentile
from libs.cli.bench.load import Sink, closed_loop, counted_loop, running_sink
from libs.cli.bench.targets import RunningHub, running_target

_CALLERS = 4
_SIZE_OF_DEAD = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """``contacts`` wait for a destination that accepts connections and says nothing."""

    contacts: int
    rounds: int
    seconds: float


async def bench_neighbour(plan: Neighbour) -> dict[str, Any]:
    """From the request to the arrival at the sink, in milliseconds; medians of the rounds, and their ratios."""
    async with running_sink() as sink, _black_hole() as dead:
        with ExitStack() as stack:
            hub = await asyncio.to_thread(stack.enter_context, running_target(sink.url))
            await _arrivals_ms(hub, sink, plan)  # warms up
            alone = [await _arrivals_ms(hub, sink, plan) for _ in range(plan.rounds)]
            key = await asyncio.to_thread(hub.add_client, dead)
            imports = plan.contacts // _SIZE_OF_DEAD
            await counted_loop(hub.target.url, key, size=_SIZE_OF_DEAD, callers=_CALLERS, imports=imports)
            beside = [await _arrivals_ms(hub, sink, plan) for _ in range(plan.rounds)]
    found = {"alone": _figures(alone), "beside": _figures(beside)}
    ratio = {name: round(found["beside"][name] / found["alone"][name], 3) for name in found["alone"]}
    return found | {"ratio": ratio}


async def _arrivals_ms(hub: RunningHub, sink: Sink, plan: Neighbour) -> list[float]:
    sink.forget()
    loop = await closed_loop(hub.target.url, hub.target.key, size=1, callers=_CALLERS, seconds=plan.seconds)
    await sink.received(len(loop.sent_at))
    return [(sink.arrivals[key] - sent_at) * 1000 for key, sent_at in loop.sent_at.items()]


def _figures(rounds: Sequence[Sequence[float]]) -> dict[str, float]:
    shares = {"p50_ms": 0.5, "p99_ms": 0.99}
    return {
        name: round(statistics.median(percentile(each, share) for each in rounds), 2) for name, share in shares.items()
    }


@asynccontextmanager
async def _black_hole() -> AsyncIterator[str]:
    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            pass
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    try:
        yield f"http://{host}:{port}/"
    finally:
        server.close()
