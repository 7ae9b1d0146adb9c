"""``contactsync bench polling``: what it costs to read a source whole."""

import asyncio
import json
import shlex
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any

import psutil

from libs.cli.bench.environment import environment
from libs.cli.bench.load import running_sink
from libs.cli.bench.measure import ProcessTree
from libs.cli.bench.source import CLIENT_ID, CLIENT_SECRET, Source, running_source
from libs.cli.bench.targets import HUB, RunningHub, peer_environment, peer_name, running_target

_SAMPLING_SECONDS = 0.1
_ASKING_SECONDS = 0.25
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``contacts`` in pages of ``page_size``, read whole by the hub and by each peer in turn. Peers are commands."""

    contacts: int
    page_size: int
    rounds: int
    peers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One reading. CPU is that of all processes that took part; of the hub until each contact is stored, normalised.

    A peer's start is left out, for the hub runs already.
    """

    target: str
    contacts_per_s: float
    cpu_us_per_contact: float
    peak_mb: int
    delivered_cpu_us_per_contact: float | None = None
    """Of the hub: what bringing them into the contact book costs on top."""
    poller_peak_mb: int | None = None
    """Of the hub: the peak of the process that reads the source."""


def bench_polling(plan: Plan) -> dict[str, Any]:
    """Runs the plan; ratios are the hub's medians over each peer's. A peer that cannot run says why."""
    return asyncio.run(_bench(plan))


async def _bench(plan: Plan) -> dict[str, Any]:
    samples: list[Sample] = []
    skipped: dict[str, str] = {}
    async with running_source(plan.contacts, plan.page_size) as source, _running_hub() as hub:
        for _ in range(plan.rounds):
            samples.append(await _read_by_hub(hub, source))
            for command in plan.peers:
                if peer_name(command) not in skipped:
                    sample = await _read_by_peer(command, source)
                    samples.extend([sample] if isinstance(sample, Sample) else [])
                    skipped |= {} if isinstance(sample, Sample) else {peer_name(command): sample}
    found = _medians(samples)
    return {
        "environment": environment(plan),
        "samples": [asdict(sample) for sample in samples],
        "medians": found,
        "ratios": _ratios(found),
        "skipped": skipped,
    }


@asynccontextmanager
async def _running_hub() -> AsyncIterator[RunningHub]:
    async with running_sink() as sink:
        target = running_target(sink.url, settings={"CONTACTSYNC_OVERDUE_AFTER": "PT1H"})
        hub = await asyncio.to_thread(target.__enter__)
        try:
            yield hub
        finally:
            await asyncio.to_thread(target.__exit__, None, None, None)


async def _read_by_hub(hub: RunningHub, source: Source) -> Sample:
    """A source that the hub has not seen. Delivery is stopped like by a debugger until all is stored."""
    delivery, tree = psutil.Process(hub.pid_of("delivery")), hub.target.tree
    await asyncio.to_thread(tree.settle)
    delivery.send_signal(signal.SIGSTOP)
    before = tree.cpu_seconds()
    poller = ProcessTree(hub.pid_of("source_polling"))
    async with _peaks(tree, poller) as peaks:
        run = await asyncio.to_thread(_sync, hub, source)
        stored = await _settled_cpu(tree) - before
    delivery.send_signal(signal.SIGCONT)
    delivered = await _settled_cpu(tree) - before - stored
    return Sample(
        target=HUB,
        contacts_per_s=round(source.contacts / run["duration_s"], 1),
        cpu_us_per_contact=_per_contact(stored, source),
        peak_mb=peaks[0],
        delivered_cpu_us_per_contact=_per_contact(delivered, source),
        poller_peak_mb=peaks[1],
    )


def _sync(hub: RunningHub, source: Source) -> Mapping[str, Any]:
    """Return when the run has ended. Raises when it has not taken every contact."""
    settings = {"url": source.url, "client_id": CLIENT_ID, "page_size": source.page_size, "interval": "86400s"}
    body = {"kind": "SOURCE_KIND_CUSTOM", "settings": settings, "secrets": {"client_secret": CLIENT_SECRET}}
    path = f"/admin/v1/sources/{hub.admin.call('POST', '/admin/v1/sources', body=body)['source']['id']}"
    run = hub.admin.call("POST", f"{path}/sync", body={})["run"]
    while run["status"] in {"RUN_STATUS_RUNNING", "RUN_STATUS_WAITING"}:
        time.sleep(_ASKING_SECONDS)
        run = hub.admin.call("GET", f"{path}/runs/{run['run_id']}")["run"]
    if run.get("changed") != source.contacts:
        raise RuntimeError(f"the hub did not take every contact: {run}")
    return dict(run)


async def _read_by_peer(command: str, source: Source) -> Sample | str:
    """What it told of itself, or why it did not."""
    try:
        ended = await asyncio.to_thread(_run, command, source)
    except OSError as error:
        return str(error)
    if ended.returncode:
        return (ended.stderr.strip().splitlines() or [f"it ended with {ended.returncode}"])[-1]
    figures = json.loads(ended.stdout.splitlines()[-1])
    if figures["contacts"] != source.contacts:
        return f"it read {figures['contacts']} of {source.contacts} contacts"
    return Sample(
        target=peer_name(command),
        contacts_per_s=round(source.contacts / figures["seconds"], 1),
        cpu_us_per_contact=_per_contact(figures["cpu_s"], source),
        peak_mb=figures["peak_mb"],
    )


def _run(command: str, source: Source) -> "subprocess.CompletedProcess[str]":
    with tempfile.TemporaryDirectory(prefix="contactsync-bench-") as folder:
        given = {"source": source.url, "data": folder, "page_size": source.page_size}
        words = [word.format(**given) for word in shlex.split(command)]
        return subprocess.run(  # noqa: S603 — the operator's own command
            words, env=peer_environment(), capture_output=True, text=True, check=False
        )


@asynccontextmanager
async def _peaks(*trees: ProcessTree) -> AsyncIterator[list[int]]:
    """The most memory that each was seen to hold during the block."""
    peaks = [0] * len(trees)

    async def look() -> None:
        while True:
            for place, tree in enumerate(trees):
                peaks[place] = max(peaks[place], tree.memory_mb())
            await asyncio.sleep(_SAMPLING_SECONDS)

    looking = asyncio.create_task(look())
    try:
        yield peaks
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking


async def _settled_cpu(tree: ProcessTree) -> float:
    await asyncio.to_thread(tree.settle)
    return tree.cpu_seconds()


def _per_contact(cpu_s: float, source: Source) -> float:
    return round(cpu_s / source.contacts * _MILLION, 2)


def _medians(samples: Sequence[Sample]) -> dict[str, dict[str, float]]:
    found = {}
    for target in dict.fromkeys(sample.target for sample in samples):
        rows = [asdict(sample) for sample in samples if sample.target == target]
        names = [name for name, value in rows[0].items() if isinstance(value, int | float)]
        found[target] = {name: round(statistics.median(row[name] for row in rows), 2) for name in names}
    return found


def _ratios(found: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    ours = found[HUB]
    return {
        target: {name: round(ours[name] / value, 3) for name, value in figures.items() if value}
        for target, figures in found.items()
        if target != HUB
    }
