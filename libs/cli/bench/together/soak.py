"""Whether a hub that works for long keeps its memory."""

import asyncio
from dataclasses import asdict, dataclass
from typing import Any

from libs.cli.bench.load import Sink, paced_loop
from libs.cli.bench.targets import RunningHub
from libs.cli.bench.together.alone import running_alone
from libs.cli.bench.together.spread import spread_of

_SIZE = 10
_PARTS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Imports of ten contacts at a ``rate`` for so long, in ten parts of the same length."""

    seconds: float
    rate: float = 20


def bench_soak(plan: Plan) -> dict[str, Any]:
    """Memory (PSS) over all processes after each part; the last over the first, in which caches are filled."""
    memory = asyncio.run(_bench(plan))
    return {"seconds": plan.seconds, "memory_mb": memory, "memory_ratio": asdict(spread_of([memory[-1] / memory[0]]))}


async def _bench(plan: Plan) -> list[int]:
    async with running_alone() as (hub, sink):
        return [await _memory_mb(hub, sink, plan) for _ in range(_PARTS)]


async def _memory_mb(hub: RunningHub, sink: Sink, plan: Plan) -> int:
    sink.forget()
    seconds = plan.seconds / _PARTS
    loop = await paced_loop(hub.target.url, hub.target.key, size=_SIZE, rate=plan.rate, seconds=seconds)
    await sink.received(len(loop.latencies_s) * _SIZE)
    await asyncio.to_thread(hub.target.tree.settle)
    if sink.contacts != len(loop.latencies_s) * _SIZE:
        raise RuntimeError(f"{len(loop.latencies_s) * _SIZE} contacts were accepted, and {sink.contacts} delivered")
    return hub.target.tree.shared_memory_mb()
