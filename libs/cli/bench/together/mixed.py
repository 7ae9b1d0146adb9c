"""What a flood of large imports does to single ones."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

from libs.cli.bench.figures import percentile
from libs.cli.bench.load import Loop, Sink, flood, import_body, paced_loop
from libs.cli.bench.targets import RunningHub
from libs.cli.bench.together.alone import running_alone
from libs.cli.bench.together.spread import paired, spread_of

_LARGE, _BODIES = 1000, 8
_WARM_UP_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """In every round single imports at a ``rate``, alone and beside ``floods`` callers with 1000 contacts a request."""

    rounds: int
    seconds: float
    rate: float = 20
    floods: int = 2


def bench_mixed(plan: Plan) -> dict[str, Any]:
    """p50 and p99 of the single imports in milliseconds, and their ratios; how many contacts the flood brought in."""
    return asyncio.run(_bench(plan))


async def _bench(plan: Plan) -> dict[str, Any]:
    alone, beside, flooded = [], [], 0.0
    async with running_alone() as (hub, sink):
        await _beside_flood(hub, sink, plan, _WARM_UP_SECONDS)
        for _ in range(plan.rounds):
            alone.append(await _alone(hub, sink, plan))
            loop, contacts = await _beside_flood(hub, sink, plan, plan.seconds)
            beside.append(loop)
            flooded += contacts
    found = {"flood_contacts_per_s": round(flooded / plan.rounds / plan.seconds)}
    return found | _figures("p50", 0.5, alone, beside) | _figures("p99", 0.99, alone, beside)


async def _alone(hub: RunningHub, sink: Sink, plan: Plan) -> Loop:
    sink.forget()
    loop = await paced_loop(hub.target.url, hub.target.key, size=1, rate=plan.rate, seconds=plan.seconds)
    await _drained(hub, sink, len(loop.latencies_s))
    return loop


async def _beside_flood(hub: RunningHub, sink: Sink, plan: Plan, seconds: float) -> tuple[Loop, int]:
    sink.forget()
    async with _flood(hub, plan.floods) as flooded:
        loop = await paced_loop(hub.target.url, hub.target.key, size=1, rate=plan.rate, seconds=seconds)
    await _drained(hub, sink, len(loop.latencies_s) + sum(flooded))
    return loop, sum(flooded)


@asynccontextmanager
async def _flood(hub: RunningHub, callers: int) -> AsyncIterator[list[int]]:
    """Goes on while the block runs; each caller's last request is waited for. The contacts that each brought in."""
    flooded: list[int] = []
    over = asyncio.Event()
    bodies = [import_body(_LARGE) for _ in range(_BODIES)]

    async def send() -> None:
        flooded.append(_LARGE * await flood(hub.target.url, hub.target.key, bodies=bodies, over=over))

    async with asyncio.TaskGroup() as group:
        for _ in range(callers):
            group.create_task(send())
        try:
            yield flooded
        finally:
            over.set()


async def _drained(hub: RunningHub, sink: Sink, contacts: int) -> None:
    await sink.received(contacts)
    await asyncio.to_thread(hub.target.tree.settle)
    if sink.contacts != contacts:
        raise RuntimeError(f"{contacts} contacts were accepted, and {sink.contacts} delivered")


def _figures(name: str, part: float, alone: Sequence[Loop], beside: Sequence[Loop]) -> dict[str, Any]:
    first, second = ([percentile(loop.latencies_s, part) * 1000 for loop in loops] for loops in (alone, beside))
    ratio = paired(second, first)
    assert ratio is not None, "an answer takes time"
    return {
        f"{name}_alone_ms": asdict(spread_of(first)),
        f"{name}_beside_ms": asdict(spread_of(second)),
        f"{name}_ratio": asdict(ratio),
    }
