"""What an import costs in a hub that has stored many contacts, beside one that has stored few."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

from libs.cli.bench.load import Sink, counted_loop
from libs.cli.bench.measure import settled
from libs.cli.bench.targets import RunningHub
from libs.cli.bench.together.alone import running_alone
from libs.cli.bench.together.spread import paired

_CHUNK = 1000
_FILLING = 2
_CALLERS = 8
_BOOK = "directory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Two hubs, whose contacts came by imports; in every round so many imports of one contact into each, in turn."""

    large: int
    imports: int
    rounds: int
    small: int = 1000


@dataclass(frozen=True, slots=True)
class _Stored:
    hub: RunningHub
    sink: Sink
    key: str


def bench_growth(plan: Plan) -> dict[str, Any]:
    """CPU of an import over all processes, until it is in the contact book and at a sink; and memory then (PSS)."""
    return asyncio.run(_bench(plan))


async def _bench(plan: Plan) -> dict[str, Any]:
    async with _stored(plan.small) as small, _stored(plan.large) as large:
        few, many = [], []
        for _ in range(plan.rounds):
            few.append(await _cpu_ms(small, plan.imports))
            many.append(await _cpu_ms(large, plan.imports))
        memory = {"small": small.hub.target.tree.shared_memory_mb(), "large": large.hub.target.tree.shared_memory_mb()}
    ratio = paired(many, few)
    assert ratio is not None, "imports cost something"
    return {
        "stored": {"small": plan.small, "large": plan.large},
        "small_cpu_ms": few,
        "large_cpu_ms": many,
        "memory_mb": memory,
        "cpu_ratio": asdict(ratio),
    }


@asynccontextmanager
async def _stored(contacts: int) -> AsyncIterator[_Stored]:
    async with AsyncExitStack() as stack:
        hub, sink = await stack.enter_async_context(running_alone())
        stored = _Stored(hub, sink, await asyncio.to_thread(hub.add_client, sink.url, also=(_BOOK,)))
        await _import(stored, size=_CHUNK, callers=_FILLING, imports=contacts // _CHUNK)
        yield stored


async def _cpu_ms(stored: _Stored, imports: int) -> float:
    before = stored.hub.target.tree.cpu_seconds()
    await _import(stored, size=1, callers=_CALLERS, imports=imports)
    return round((stored.hub.target.tree.cpu_seconds() - before) / imports * 1000, 3)


async def _import(stored: _Stored, *, size: int, callers: int, imports: int) -> None:
    """Return when all of it is delivered and nothing is left to do. Raises when the sink has more or less of it."""
    stored.sink.forget()
    await counted_loop(stored.hub.target.url, stored.key, size=size, callers=callers, imports=imports)
    await stored.sink.received(imports * size)
    await settled(stored.hub.target.tree)
    if stored.sink.contacts != imports * size:
        raise RuntimeError(f"{imports * size} contacts were imported, and {stored.sink.contacts} delivered")
