"""The benchmark's arithmetic, and the load that it makes."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import orjson
import pytest
from aiohttp import web

from libs.cli.bench.figures import Sample, make_sample, medians, percentile, ratios
from libs.cli.bench.load import counted_loop, import_body, paced_loop, running_sink
from libs.cli.bench.measure import ProcessTree, read_calls
from libs.cli.bench.peers import running_peer
from libs.cli.bench.targets import peer_name
from libs.cli.bench.tracing import OFF, cpu_ratios
from tests.fixtures.waiting import wait_for

SAMPLE = Sample(
    target="contactsync",
    size=10,
    requests=100,
    requests_per_s=50.0,
    contacts_per_s=500.0,
    p50_ms=4.0,
    p99_ms=9.0,
    cpu_ms_per_import=2.0,
)


def test_sample_counts_every_answer_once_and_shares_the_cpu_among_them() -> None:
    sample = make_sample(target="hub", size=10, seconds=2.0, cpu_s=0.4, latencies_s=[0.01, 0.02, 0.03, 0.04])

    assert sample.requests == 4
    assert (sample.requests_per_s, sample.contacts_per_s) == (2.0, 20.0)
    assert (sample.p50_ms, sample.p99_ms) == (20.0, 40.0)
    assert sample.cpu_ms_per_import == 100.0


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_percentile_is_a_value_that_was_measured(share: float, value: int) -> None:
    assert percentile(range(100, 0, -1), share) == value


def test_percentile_of_one_value_is_that_value() -> None:
    assert percentile([7.0], 0.5) == percentile([7.0], 0.99) == 7.0


def test_medians_are_taken_figure_by_figure_over_the_rounds() -> None:
    rounds = [replace(SAMPLE, cpu_ms_per_import=cpu, p50_ms=p50) for cpu, p50 in ((3.0, 1.0), (1.0, 9.0), (2.0, 5.0))]

    figures = medians([*rounds, replace(SAMPLE, target="peer", size=1)])

    assert figures[10]["contactsync"]["cpu_ms_per_import"] == 2.0
    assert figures[10]["contactsync"]["p50_ms"] == 5.0
    assert set(figures[1]) == {"peer"}
    assert "requests" not in figures[10]["contactsync"]


def test_ratios_are_ours_over_theirs_and_leave_out_what_they_have_at_zero() -> None:
    by_target = {"hub": {"cpu": 1.0, "p50": 3.0}, "monolith": {"cpu": 4.0, "p50": 0.0}, "limit": {"cpu": 0.5}}

    assert ratios(by_target, "hub") == {"monolith": {"cpu": 0.25}, "limit": {"cpu": 2.0}}


@pytest.mark.parametrize(
    ("command", "name"),
    [("python -m tests.bench.monolith --port {port}", "monolith"), ("/opt/peer/serve.py --port {port}", "serve")],
)
def test_peer_is_named_after_what_it_runs(command: str, name: str) -> None:
    assert peer_name(command) == name


def test_import_body_has_as_many_contacts_as_asked_and_no_other_request_has_them() -> None:
    contacts = orjson.loads(import_body(50))

    assert len(contacts) == 50
    assert contacts != orjson.loads(import_body(50))


async def test_sink_counts_contacts_that_arrive_side_by_side() -> None:
    async with running_sink() as sink, aiohttp.ClientSession() as session:
        bodies = [orjson.dumps({"contacts": [{}] * size}) for size in (1, 2, 3, 4)]

        await asyncio.gather(*(session.post(sink.url, data=body) for body in bodies))

        await sink.received(10)
        assert sink.contacts == 10


def test_a_loop_of_so_many_imports_sends_no_more_and_tells_when_each_was_sent() -> None:
    assert asyncio.run(_loop_of(7)) == (7, 7)


async def _loop_of(imports: int) -> tuple[int, int]:
    async with running_accepting_hub() as url:
        loop = await counted_loop(url, "key", size=2, callers=3, imports=imports)
    return len(loop.latencies_s), len(loop.sent_at)


async def test_a_paced_loop_sends_also_what_is_due_while_nothing_is_answered() -> None:
    waiting: list[str] = []
    all_here = asyncio.Event()

    async def answer_all_at_the_end(request: web.Request) -> None:
        waiting.append(request.headers["Idempotency-Key"])
        if len(waiting) == 5:
            all_here.set()
        await all_here.wait()

    async with running_accepting_hub(answer_all_at_the_end) as url:
        loop = await paced_loop(url, "key", size=1, rate=100, seconds=0.05)

    assert set(waiting) == set(loop.sent_at)
    assert len(loop.latencies_s) == 5


@asynccontextmanager
async def running_accepting_hub(first: Callable[[web.Request], Awaitable[None]] | None = None) -> AsyncIterator[str]:
    async def accept(request: web.Request) -> web.Response:
        if first is not None:
            await first(request)
        return web.json_response({}, status=202)

    application = web.Application()
    application.router.add_post("/v1/contacts/import", accept)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield "http://127.0.0.1:{1}".format(*runner.addresses[0])
    finally:
        await runner.cleanup()


PEER = (
    "import sys; print('ready', flush=True); sys.stdin.readline(); "
    "open(sys.argv[1] + '/went', 'w').close(); sys.stdin.readline()"
)


def test_peer_delivers_when_it_is_told_and_is_gone_behind_the_block(tmp_path: Path) -> None:
    with running_peer(f'{sys.executable} -c "{PEER}" {tmp_path}', "http://sink/") as peer:
        peer.prepare(chunks=1, size=1)
        assert not (tmp_path / "went").exists()
        peer.go()
        wait_for((tmp_path / "went").exists, what="the peer's word")
        members = peer.tree.members()

    assert not any(member.is_running() for member in members)


SUMMARY = """\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 99.10    0.120000          40      3000           fdatasync
  0.90    0.001000          50        20         1 fsync
------ ----------- ----------- --------- --------- ----------------
100.00    0.121000          40      3020         1 total
"""


def test_calls_are_read_from_the_summary_without_its_total(tmp_path: Path) -> None:
    summary = tmp_path / "summary"
    summary.write_text(SUMMARY)

    assert read_calls(summary) == 3020


def test_cost_of_tracing_is_the_median_of_the_rounds_ratios() -> None:
    off, traced = (5.0, 6.0, 4.0), (5.5, 6.0, 6.0)
    samples = [
        replace(SAMPLE, target=name, size=1, cpu_ms_per_import=cpu)
        for pair in zip(off, traced, strict=True)
        for name, cpu in zip((OFF, "10%"), pair, strict=True)
    ]

    assert cpu_ratios(samples) == {1: {"10%": {"median": 1.1, "least": 1.0, "most": 1.5}}}


def test_what_a_process_used_that_has_ended_counts() -> None:
    tree = ProcessTree(os.getpid())
    before = tree.cpu_seconds()

    subprocess.run([sys.executable, "-c", "import time\nwhile time.process_time() < 0.3: pass"], check=True)

    assert tree.cpu_seconds() - before > 0.2
