"""``contactsync bench import``: what an import costs, from the request to its delivery."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

import aiohttp

from libs.cli.api import NoHub
from libs.cli.bench.environment import environment
from libs.cli.bench.figures import Sample, make_sample, medians, ratios
from libs.cli.bench.load import Loop, Sink, closed_loop, paced_loop, running_sink
from libs.cli.bench.measure import counted_syncs
from libs.cli.bench.targets import HUB, Target, hub_target, peer_target

_SYNCS_SIZE = 1
_WARM_UP_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is run: every size in every round, the targets in turn. ``peers`` are commands.

    ``rate`` is imports a second, sent whether the last ones are answered or not; 0: a closed loop of ``callers``.
    """

    sizes: tuple[int, ...]
    callers: int
    rounds: int
    seconds: float
    peers: tuple[str, ...]
    rate: float = 0


def bench_imports(plan: Plan) -> dict[str, Any]:
    """Runs the plan; what it gives is told by the keys, sizes and targets that its figures stand under."""
    return asyncio.run(_bench(plan))


async def _bench(plan: Plan) -> dict[str, Any]:
    async with running_sink() as sink, _running_targets(plan, sink) as targets:
        samples = await _samples(plan, targets, sink)
        fsyncs = {target.name: await _fsyncs(plan, target, sink) for target in targets}
        memory = {target.name: target.tree.memory_mb() for target in targets}
    figures = medians(samples)
    return {
        "environment": environment(plan),
        "samples": [asdict(sample) for sample in samples],
        "medians": figures,
        "ratios": {size: ratios(by_target, HUB) for size, by_target in figures.items()},
        f"fsyncs_per_import_of_{_SYNCS_SIZE}": fsyncs,
        "memory_mb": memory,
    }


@asynccontextmanager
async def _running_targets(plan: Plan, sink: Sink) -> AsyncIterator[list[Target]]:
    with ExitStack() as stack:
        starting = [hub_target(sink.url), *(peer_target(peer, sink.url) for peer in plan.peers)]
        yield [await asyncio.to_thread(stack.enter_context, target) for target in starting]


async def _samples(plan: Plan, targets: list[Target], sink: Sink) -> list[Sample]:
    for target in targets:
        for size in plan.sizes:
            await _sample(plan, target, sink, size=size, seconds=_WARM_UP_SECONDS)
    return [
        await _sample(plan, target, sink, size=size, seconds=plan.seconds)
        for _ in range(plan.rounds)
        for size in plan.sizes
        for target in targets
    ]


async def _sample(plan: Plan, target: Target, sink: Sink, *, size: int, seconds: float) -> Sample:
    sink.forget()
    before = target.tree.cpu_seconds()
    try:
        loop = await _loop(plan, target, size=size, seconds=seconds)
    except ExceptionGroup as failures:
        if failures.subgroup(aiohttp.ClientConnectionError):
            raise NoHub(f"{target.name} at {target.url} does not answer any more") from failures
        raise
    await sink.received(len(loop.latencies_s) * size)
    await asyncio.to_thread(target.tree.settle)
    cpu_s = target.tree.cpu_seconds() - before
    return make_sample(target=target.name, size=size, seconds=loop.seconds, cpu_s=cpu_s, latencies_s=loop.latencies_s)


async def _loop(plan: Plan, target: Target, *, size: int, seconds: float) -> Loop:
    if plan.rate:
        return await paced_loop(target.url, target.key, size=size, rate=plan.rate, seconds=seconds)
    return await closed_loop(target.url, target.key, size=size, callers=plan.callers, seconds=seconds)


async def _fsyncs(plan: Plan, target: Target, sink: Sink) -> float | None:
    """None: they cannot be counted on this machine. Only the count is kept: under the tracer every call is slow."""
    with counted_syncs(target.tree) as counted:
        traced = await _sample(plan, target, sink, size=_SYNCS_SIZE, seconds=plan.seconds)
    return round(counted[0] / traced.requests, 2) if counted else None
