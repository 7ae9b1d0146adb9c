"""The source that `contactsync bench polling` reads, and the peers beside the hub."""

import json
import shlex
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from libs.cli.bench.polling import Sample, _medians, _ratios, _read_by_peer
from libs.cli.bench.source import Source, running_source

PYTHON = shlex.quote(sys.executable)
FIGURES = {"contacts": 25, "seconds": 0.5, "cpu_s": 0.001, "peak_mb": 7}


@pytest.fixture
async def source() -> AsyncIterator[Source]:
    async with running_source(25, 10) as source:
        yield source


async def test_the_source_gives_every_contact_once(source: Source) -> None:
    pages = []
    async with aiohttp.ClientSession() as session:
        for page in (1, 2, 3):
            async with session.get(f"{source.url}/contacts?limit=10&page={page}") as answer:
                pages.append(await answer.json())

    assert [page["has_more"] for page in pages] == [True, True, False]
    assert [contact["id"] for page in pages for contact in page["contacts"]] == [str(number) for number in range(25)]


async def test_the_bare_loop_reads_the_source(source: Source) -> None:
    sample = await _read_by_peer(f"{PYTHON} -m tests.bench.polling.bare {{source}} {{data}} {{page_size}}", source)

    assert isinstance(sample, Sample), sample
    assert sample.target == "bare"


async def test_a_peer_tells_its_own_figures(source: Source, tmp_path: Path) -> None:
    program = tmp_path / "peer.py"
    program.write_text(f"print('a word before'); print({json.dumps(json.dumps(FIGURES))})")

    sample = await _read_by_peer(f"{PYTHON} {shlex.quote(str(program))}", source)

    assert isinstance(sample, Sample), sample
    assert (sample.contacts_per_s, sample.cpu_us_per_contact, sample.peak_mb) == (50.0, 40.0, 7)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("no-such-program {source}", "No such file or directory: 'no-such-program'"),
        (f"{PYTHON} -c \"raise SystemExit('dlt cannot be installed')\"", "dlt cannot be installed"),
        (f'{PYTHON} -c "print(\'{{{{\\"contacts\\": 3}}}}\')"', "it read 3 of 25 contacts"),
    ],
)
async def test_a_peer_that_does_not_read_everything_says_why(source: Source, command: str, reason: str) -> None:
    why = await _read_by_peer(command, source)

    assert isinstance(why, str)
    assert reason in why


def test_ratios_are_ours_over_theirs_of_what_both_have() -> None:
    hub = Sample(
        target="contactsync", contacts_per_s=10, cpu_us_per_contact=6, peak_mb=100, delivered_cpu_us_per_contact=9
    )
    peer = Sample(target="bare", contacts_per_s=40, cpu_us_per_contact=3, peak_mb=50)

    found = _ratios(_medians([hub, peer]))

    assert found == {"bare": {"contacts_per_s": 0.25, "cpu_us_per_contact": 2.0, "peak_mb": 2.0}}
