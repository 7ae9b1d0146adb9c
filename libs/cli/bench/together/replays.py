"""What an answer costs that was given before, beside the import that it was first given to."""

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import aiohttp
from aiohttp import web

from libs.cli.bench.load import Sink, import_body
from libs.cli.bench.targets import Target
from libs.cli.bench.together.alone import running_alone
from libs.cli.bench.together.spread import paired

_WARM_UP = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """In every round so many imports of one contact, and then each of them again with its key."""

    imports: int
    rounds: int
    callers: int = 8


@dataclass(slots=True)
class _Asked:
    key: str
    body: bytes
    answer: bytes = b""


def bench_replays(plan: Plan) -> dict[str, Any]:
    """Runs the plan; the ratio is of CPU over all processes, the first imports' until they are delivered."""
    return asyncio.run(_bench(plan))


async def _bench(plan: Plan) -> dict[str, Any]:
    async with running_alone() as (hub, sink):
        await _round(hub.target, sink, _WARM_UP, plan.callers)
        rounds = [await _round(hub.target, sink, plan.imports, plan.callers) for _ in range(plan.rounds)]
    first, again = [list(figures) for figures in zip(*rounds, strict=True)]
    ratio = paired(again, first)
    assert ratio is not None, "imports cost something"
    return {"first_cpu_ms": first, "replay_cpu_ms": again, "cpu_ratio": asdict(ratio)}


async def _round(target: Target, sink: Sink, imports: int, callers: int) -> tuple[float, float]:
    """Milliseconds of CPU of a first import, and of its repetition. Raises when one is not answered the same."""
    sink.forget()
    asked = [_Asked(str(uuid.uuid4()), import_body(1)) for _ in range(imports)]
    first = await _cpu_ms(target, sink, asked, callers, replayed=False)
    again = await _cpu_ms(target, sink, asked, callers, replayed=True)
    if sink.contacts != imports:
        raise RuntimeError(f"{imports} contacts were imported and repeated, and {sink.contacts} delivered")
    return first, again


async def _cpu_ms(target: Target, sink: Sink, asked: Sequence[_Asked], callers: int, *, replayed: bool) -> float:
    before = target.tree.cpu_seconds()
    waiting = iter(asked)
    headers = {"Authorization": f"Bearer {target.key}", "Content-Type": "application/json"}
    async with aiohttp.ClientSession(target.url, headers=headers) as session, asyncio.TaskGroup() as group:
        for _ in range(callers):
            group.create_task(_ask_each(session, waiting, replayed=replayed))
    await sink.received(len(asked))
    await asyncio.to_thread(target.tree.settle)
    return round((target.tree.cpu_seconds() - before) / len(asked) * 1000, 3)


async def _ask_each(session: aiohttp.ClientSession, waiting: Iterator[_Asked], *, replayed: bool) -> None:
    for each in waiting:
        async with session.post(
            "/v1/contacts/import", data=each.body, headers={"Idempotency-Key": each.key}
        ) as response:
            answer = await response.read()
            right = (
                response.status == web.HTTPAccepted.status_code
                and ("Idempotent-Replayed" in response.headers) == replayed
            )
            if not right or (replayed and answer != each.answer):
                raise RuntimeError(
                    f"{response.status} instead of {'the stored' if replayed else 'a first'} answer: {answer[:200]!r}"
                )
            each.answer = answer
