"""``contactsync bench scale``: what an import costs as contacts and replicas grow, on SQLite and on PostgreSQL."""

import asyncio
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

import psutil

from libs.cli.bench.environment import environment
from libs.cli.bench.figures import Figures, Sample, make_sample, medians
from libs.cli.bench.load import Loop, Sink, counted_loop, running_sink
from libs.cli.bench.measure import ProcessTree, settled
from libs.cli.bench.targets import RunningHub, running_target
from libs.cli.stack.plan import service_of
from libs.cli.stack.postgres import connect
from libs.cli.stack.shape import Shape

_CHUNK, _FILLING, _SIZE, _CALLERS = 1000, 2, 1, 8
_BOOK = "directory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One hub after the other, each filled by imports to each number of ``stored`` contacts.

    At each number the same ``imports`` of one contact, ``rounds`` times. SQLite has one replica; on PostgreSQL, if
    there is one, each number of ``replicas`` is run.
    """

    stored: tuple[int, ...]
    replicas: tuple[int, ...]
    imports: int
    rounds: int
    on_postgresql: bool


@dataclass(frozen=True, slots=True)
class _Measured:
    stored: int
    sample: Sample
    programs: Mapping[str, float]
    """CPU milliseconds of an import by service, and by what runs beside."""


@dataclass(frozen=True, slots=True)
class _Subject:
    """A hub, the processes whose CPU counts, and where its imports end."""

    name: str
    hub: RunningHub
    tree: ProcessTree
    sink: Sink
    key: str


def bench_scale(plan: Plan, *, postgres: str = "") -> dict[str, Any]:
    """Runs the plan; ratios are those of a target's figures over its own with the fewest contacts.

    ``postgres`` is the URL of a database whose role may make others; what is made there is dropped again. CPU is that
    of all processes, PostgreSQL's too where it runs on this machine. Raises CannotStart.
    """
    return asyncio.run(_bench(plan, postgres))


async def _bench(plan: Plan, postgres: str) -> dict[str, Any]:
    measured: list[_Measured] = []
    memory: dict[str, int] = {}
    for place, replicas in _shapes(plan):
        async with _subject(place, replicas, postgres) as subject:
            measured += [each async for each in _grown(plan, subject)]
            memory[subject.name] = subject.tree.shared_memory_mb()
    figures = {stored: _at(measured, stored) for stored in plan.stored}
    return {
        "environment": environment(plan),
        "samples": [
            {"stored": each.stored, **asdict(each.sample), "cpu_ms_by_program": each.programs} for each in measured
        ],
        "medians": figures,
        "ratios": growth(figures),
        "memory_mb": memory,
    }


def _shapes(plan: Plan) -> Iterator[tuple[str, int]]:
    yield "sqlite", 1
    if plan.on_postgresql:
        for replicas in plan.replicas:
            yield "postgresql", replicas


async def _grown(plan: Plan, subject: _Subject) -> AsyncIterator[_Measured]:
    filled = 0
    for stored in plan.stored:
        await _import(subject, size=_CHUNK, callers=_FILLING, imports=(stored - filled) // _CHUNK)
        filled = stored
        for _ in range(plan.rounds):
            before, spent = subject.tree.cpu_seconds(), _spent(subject.hub)
            loop = await _import(subject, size=_SIZE, callers=_CALLERS, imports=plan.imports)
            sample = make_sample(
                target=subject.name,
                size=_SIZE,
                seconds=loop.seconds,
                cpu_s=subject.tree.cpu_seconds() - before,
                latencies_s=loop.latencies_s,
            )
            programs = {name: used - spent[name] for name, used in _spent(subject.hub).items()}
            each = {name: round(used / plan.imports * 1000, 3) for name, used in programs.items()}
            yield _Measured(stored, sample, each)


def _spent(hub: RunningHub) -> Mapping[str, float]:
    """CPU seconds since the start, all replicas of a service together."""
    spent: defaultdict[str, float] = defaultdict(float)
    for name in hub.hub.supervisor.processes():
        spent[service_of(name)] += ProcessTree(hub.pid_of(name)).cpu_seconds()
    return spent


async def _import(subject: _Subject, *, size: int, callers: int, imports: int) -> Loop:
    """Returns when all of it is delivered and nothing is left to do."""
    subject.sink.forget()
    target = subject.hub.target
    loop = await counted_loop(target.url, subject.key, size=size, callers=callers, imports=imports)
    await subject.sink.received(imports * size)
    await settled(subject.tree)
    return loop


def _at(measured: Sequence[_Measured], stored: int) -> dict[str, Figures]:
    return medians(each.sample for each in measured if each.stored == stored)[_SIZE]


def growth(figures: Mapping[int, Mapping[str, Figures]]) -> dict[int, dict[str, Figures]]:
    """Of each target, its figures at each number of contacts over those at the first; a figure of zero is left out."""
    first = next(iter(figures.values()))
    return {
        stored: {
            target: {name: round(row[name] / value, 3) for name, value in first[target].items() if value}
            for target, row in by_target.items()
        }
        for stored, by_target in figures.items()
    }


@asynccontextmanager
async def _subject(place: str, replicas: int, postgres: str) -> AsyncIterator[_Subject]:
    async with _database(postgres if place == "postgresql" else "") as (url, server), running_sink() as sink:
        running = running_target(sink.url, shape=Shape(replicas=replicas, postgres=url))
        hub = await asyncio.to_thread(running.__enter__)
        try:
            tree = ProcessTree(hub.hub.supervisor.pid, *server)
            key = await asyncio.to_thread(hub.add_client, sink.url, also=(_BOOK,))
            yield _Subject(f"{place}-{replicas}", hub, tree, sink, key)
        finally:
            await asyncio.to_thread(running.__exit__, None, None, None)


@asynccontextmanager
async def _database(url: str) -> AsyncIterator[tuple[str, list[int]]]:
    """A new database of the server, and the server's process, if it is one of this machine's; no URL: neither."""
    if not url:
        yield "", []
        return
    name = f"contactsync_bench_{secrets.token_hex(4)}"
    connection = await connect(url)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
        try:
            yield urlsplit(url)._replace(path=f"/{name}").geturl(), _server_of(connection.get_server_pid())
        finally:
            await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


def _server_of(backend: int) -> list[int]:
    if not psutil.pid_exists(backend):
        return []
    parent = psutil.Process(backend).parent()
    return [parent.pid] if parent and parent.name().startswith("postgres") else []
