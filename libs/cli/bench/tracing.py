"""``contactsync bench tracing``: what an import costs more, the more of them are traced."""

import asyncio
import statistics
from collections.abc import AsyncIterator, Iterable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

from gateway.tracing import Sampling
from libs.cli.bench.collector import Collector, running_collector
from libs.cli.bench.environment import environment
from libs.cli.bench.figures import Figures, Sample, make_sample, medians
from libs.cli.bench.load import Sink, counted_loop, running_sink
from libs.cli.bench.targets import Target, hub_target
from libs.cli.stack.traces import Tracing

OFF = "off"
_WARM_UP_IMPORTS = 100
# A service's spans leave within two seconds, the gateway's within one.
_EXPORTED_SECONDS = 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is run: in every round so many imports of every size, without traces and at each share of them, in turn."""

    sizes: tuple[int, ...]
    shares: tuple[float, ...]
    imports: int
    callers: int
    rounds: int


def bench_tracing(plan: Plan) -> dict[str, Any]:
    """Runs the plan. Ratios are of CPU per import beside that without traces, in the same round."""
    return asyncio.run(_bench(plan))


async def _bench(plan: Plan) -> dict[str, Any]:
    async with running_sink() as sink, running_collector() as collector, _hubs(plan, sink, collector) as hubs:
        for hub in hubs:
            for size in plan.sizes:
                await _sample(replace(plan, imports=_WARM_UP_IMPORTS), hub, sink, size=size)
        samples = [sample for number in range(plan.rounds) async for sample in _round(plan, number, hubs, sink)]
        return {
            "environment": environment(plan),
            "exports": collector.exports,
            "exported_bytes": collector.received_bytes,
            "samples": [asdict(sample) for sample in samples],
            "medians": medians(samples),
            "cpu_ratios": cpu_ratios(samples),
        }


@asynccontextmanager
async def _hubs(plan: Plan, sink: Sink, collector: Collector) -> AsyncIterator[list[Target]]:
    """All at once, so that they can be asked in turn."""
    traced = {
        f"{share:.0%}": Tracing(endpoint=collector.endpoint, sampling=Sampling(0, share)) for share in plan.shares
    }
    with ExitStack() as stack:
        starting = [hub_target(sink.url, name=name, tracing=each) for name, each in [(OFF, Tracing()), *traced.items()]]
        yield [await asyncio.to_thread(stack.enter_context, hub) for hub in starting]


async def _round(plan: Plan, number: int, hubs: list[Target], sink: Sink) -> AsyncIterator[Sample]:
    """Every other round goes the other way, so that a machine that grows slower is unfair to nobody."""
    for size in plan.sizes:
        for hub in hubs[:: -1 if number % 2 else 1]:
            yield await _sample(plan, hub, sink, size=size)


async def _sample(plan: Plan, hub: Target, sink: Sink, *, size: int) -> Sample:
    sink.forget()
    before = hub.tree.cpu_seconds()
    loop = await counted_loop(hub.url, hub.key, size=size, callers=plan.callers, imports=plan.imports)
    await sink.received(len(loop.latencies_s) * size)
    await asyncio.sleep(_EXPORTED_SECONDS)
    await asyncio.to_thread(hub.tree.settle)
    cpu_s = hub.tree.cpu_seconds() - before
    return make_sample(target=hub.name, size=size, seconds=loop.seconds, cpu_s=cpu_s, latencies_s=loop.latencies_s)


def cpu_ratios(samples: Iterable[Sample]) -> dict[int, dict[str, Figures]]:
    """By size and share: the median of the rounds' ratios, and how far they lie apart."""
    told = list(samples)
    rounds: dict[tuple[int, str], list[float]] = {}
    for sample in told:
        rounds.setdefault((sample.size, sample.target), []).append(sample.cpu_ms_per_import)
    found: dict[int, dict[str, Figures]] = {}
    for (size, target), cpu in rounds.items():
        if target != OFF:
            ratios = [traced / without for traced, without in zip(cpu, rounds[size, OFF], strict=True)]
            found.setdefault(size, {})[target] = {
                "median": round(statistics.median(ratios), 3),
                "least": round(min(ratios), 3),
                "most": round(max(ratios), 3),
            }
    return found
