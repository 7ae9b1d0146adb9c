"""How often data is forced to disk for an import of one contact, alone and among many."""

import asyncio
import shutil
from dataclasses import asdict, dataclass
from typing import Any

from libs.cli.bench.load import Sink, closed_loop
from libs.cli.bench.measure import counted_syncs
from libs.cli.bench.targets import Target
from libs.cli.bench.together.alone import running_alone
from libs.cli.bench.together.goals import LEFT_OUT
from libs.cli.bench.together.spread import spread_of

_CALLERS = (1, 64)
_WARM_UP_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Closed loops of one caller and of 64, in turn, under strace: the counts are right, and all else is slow."""

    rounds: int
    seconds: float


def bench_syncs(plan: Plan) -> dict[str, Any]:
    """By the number of callers, forced writes per import over all processes, delivered."""
    if shutil.which("strace") is None:
        return {LEFT_OUT: "strace is not on PATH"}
    return asyncio.run(_bench(plan))


async def _bench(plan: Plan) -> dict[str, Any]:
    counts: dict[int, list[float]] = {callers: [] for callers in _CALLERS}
    async with running_alone() as (hub, sink):
        await _imports(hub.target, sink, 1, _WARM_UP_SECONDS)
        for _ in range(plan.rounds):
            for callers, found in counts.items():
                with counted_syncs(hub.target.tree) as counted:
                    imports = await _imports(hub.target, sink, callers, plan.seconds)
                found.append(counted[0] / imports)
    return {f"callers_{callers}": asdict(spread_of(found)) for callers, found in counts.items()}


async def _imports(target: Target, sink: Sink, callers: int, seconds: float) -> int:
    sink.forget()
    loop = await closed_loop(target.url, target.key, size=1, callers=callers, seconds=seconds)
    await sink.received(len(loop.latencies_s))
    await asyncio.to_thread(target.tree.settle)
    return len(loop.latencies_s)
