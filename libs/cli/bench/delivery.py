"""``contactsync bench delivery``: what it costs to bring a chunk from its ticket to its outcome."""

import asyncio
import signal
import statistics
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import psutil

from libs.cli.bench.environment import environment
from libs.cli.bench.load import Sink, counted_loop, running_sink
from libs.cli.bench.measure import ProcessTree
from libs.cli.bench.neighbour import Neighbour, bench_neighbour
from libs.cli.bench.peers import Peer, running_peer
from libs.cli.bench.targets import HUB, RunningHub, running_target

_CALLERS = 16
_AT_ONCE = 64
SETTINGS = {
    # Tickets wait while delivery is held back; nobody is to send them again meanwhile.
    "CONTACTSYNC_OVERDUE_AFTER": "PT1H",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``chunks`` of ``size`` contacts to a sink that takes them at once, in turn with the peers, which are commands."""

    chunks: int
    size: int
    rounds: int
    neighbour: Neighbour | None
    peers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One backlog, drained. CPU is that of all processes of the target, the request that brought it left out."""

    target: str
    seconds: float
    chunks_per_s: float
    contacts_per_s: float
    cpu_ms_per_chunk: float


class Deliverer(Protocol):
    """What is measured."""

    @property
    def name(self) -> str:
        """What it is called in the figures."""
        ...

    @property
    def tree(self) -> ProcessTree:
        """All its processes."""
        ...

    async def load(self, plan: Plan) -> None:
        """Take the chunks and deliver none."""
        ...

    def release(self) -> None:
        """Begin to deliver."""
        ...


class HubDeliverer:
    """The hub: its delivery is stopped like by a debugger while it takes the chunks in."""

    name = HUB

    def __init__(self, hub: RunningHub) -> None:
        self._hub = hub
        self._delivery = psutil.Process(hub.pid_of("delivery"))
        self.tree = hub.target.tree

    async def load(self, plan: Plan) -> None:
        """Tickets wait on the bus."""
        self._delivery.send_signal(signal.SIGSTOP)
        target = self._hub.target
        await counted_loop(target.url, target.key, size=plan.size, callers=_CALLERS, imports=plan.chunks)

    def release(self) -> None:
        """It takes the tickets."""
        self._delivery.send_signal(signal.SIGCONT)


class PeerDeliverer:
    """A peer, started anew for every backlog."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self.name = peer.name

    @property
    def tree(self) -> ProcessTree:
        """All its processes."""
        return self._peer.tree

    async def load(self, plan: Plan) -> None:
        """It says when it has them."""
        await asyncio.to_thread(self._peer.prepare, chunks=plan.chunks, size=plan.size)

    def release(self) -> None:
        """It waits for a line."""
        self._peer.go()


def bench_delivery(plan: Plan) -> dict[str, Any]:
    """Runs the plan; ratios are the hub's medians over each peer's."""
    return asyncio.run(_bench(plan))


async def _bench(plan: Plan) -> dict[str, Any]:
    async with running_sink() as sink, _running(plan, sink) as deliverers:
        samples = [await _sample(plan, each, sink) for _ in range(plan.rounds) for each in deliverers]
    found = _medians(samples)
    return {
        "environment": environment(plan),
        "samples": [asdict(sample) for sample in samples],
        "medians": found,
        "ratios": _ratios(found),
        "neighbour": await bench_neighbour(plan.neighbour) if plan.neighbour else None,
    }


@asynccontextmanager
async def _running(plan: Plan, sink: Sink) -> AsyncIterator[list[Deliverer]]:
    with ExitStack() as stack:
        hub = await asyncio.to_thread(
            stack.enter_context, running_target(sink.url, settings=SETTINGS, at_once=_AT_ONCE)
        )
        peers = [stack.enter_context(running_peer(command, sink.url)) for command in plan.peers]
        yield [HubDeliverer(hub), *map(PeerDeliverer, peers)]


async def _sample(plan: Plan, deliverer: Deliverer, sink: Sink) -> Sample:
    sink.forget()
    await deliverer.load(plan)
    await asyncio.to_thread(deliverer.tree.settle)
    before = deliverer.tree.cpu_seconds()
    deliverer.release()
    seconds = await sink.received(plan.chunks * plan.size)
    await asyncio.to_thread(deliverer.tree.settle)
    cpu_s = deliverer.tree.cpu_seconds() - before
    return Sample(
        target=deliverer.name,
        seconds=round(seconds, 2),
        chunks_per_s=round(plan.chunks / seconds, 1),
        contacts_per_s=round(plan.chunks * plan.size / seconds, 1),
        cpu_ms_per_chunk=round(cpu_s / plan.chunks * 1000, 4),
    )


def _medians(samples: Sequence[Sample]) -> dict[str, dict[str, float]]:
    targets = dict.fromkeys(sample.target for sample in samples)
    names = ("chunks_per_s", "contacts_per_s", "cpu_ms_per_chunk")
    return {
        target: {
            name: round(statistics.median(getattr(each, name) for each in samples if each.target == target), 4)
            for name in names
        }
        for target in targets
    }


def _ratios(found: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    ours = found[HUB]
    return {
        target: {name: round(ours[name] / value, 3) for name, value in figures.items() if value}
        for target, figures in found.items()
        if target != HUB
    }
