"""What a hub costs that has nothing to do, and how long it takes to be ready; beside the monolith."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from libs.cli.bench.measure import ProcessTree
from libs.cli.bench.targets import HUB, peer_target
from libs.cli.bench.together.spread import paired, spread_of

_NOWHERE = "http://127.0.0.1:9/"
_END_SECONDS = 60
_UP = (sys.executable, "-m", "libs.cli.main", "up", "--port", "0", "--no-jaeger", "--data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """In every round the hub and the peer, each started on an empty folder and watched for so many seconds."""

    rounds: int
    seconds: float
    peer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One start. Ready is when it answers; memory is PSS over all processes, the command itself among them."""

    target: str
    ready_s: float
    memory_mb: float
    rest_percent: float


@contextmanager
def _hub() -> Iterator[ProcessTree]:
    with tempfile.TemporaryDirectory(prefix="contactsync-bench-") as folder:
        process = subprocess.Popen([*_UP, f"{folder}/data"], stdout=subprocess.PIPE, text=True)  # noqa: S603 — ourselves
        try:
            assert process.stdout is not None
            if "ready" not in process.stdout.readline():
                raise RuntimeError("the hub ended before it was ready")
            yield ProcessTree(process.pid)
        finally:
            process.terminate()
            process.communicate(timeout=_END_SECONDS)


@contextmanager
def _peer(command: str) -> Iterator[ProcessTree]:
    with peer_target(command, _NOWHERE) as target:
        yield target.tree


def bench_idle(plan: Plan) -> dict[str, Any]:
    """Runs the plan; ratios are the hub's figures over the peer's, round by round."""
    samples = [sample for _ in range(plan.rounds) for sample in _round(plan)]
    ours, theirs = ([each for each in samples if (each.target == HUB) == mine] for mine in (True, False))
    memory = paired([each.memory_mb for each in ours], [each.memory_mb for each in theirs])
    ready = paired([each.ready_s for each in ours], [each.ready_s for each in theirs])
    return {
        "samples": [asdict(sample) for sample in samples],
        "memory_ratio": memory and asdict(memory),
        "ready_ratio": ready and asdict(ready),
        "rest_percent": asdict(spread_of([each.rest_percent for each in ours])),
    }


def _round(plan: Plan) -> Iterator[Sample]:
    yield _sample(HUB, _hub, plan.seconds)
    if plan.peer:
        yield _sample("monolith", lambda: _peer(plan.peer), plan.seconds)


def _sample(name: str, start: Callable[[], AbstractContextManager[ProcessTree]], seconds: float) -> Sample:
    began = time.perf_counter()
    with start() as tree:
        ready_s = time.perf_counter() - began
        tree.settle()
        before = tree.cpu_seconds()
        time.sleep(seconds)
        rest = (tree.cpu_seconds() - before) / seconds * 100
        return Sample(
            target=name, ready_s=round(ready_s, 2), memory_mb=tree.shared_memory_mb(), rest_percent=round(rest, 2)
        )
