"""Runs are counted when they end, each record once."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from libs.measures import Counter, Gauge, Histogram, Labels
from services.source_polling.counting import CountedLedger, SourceNumbers
from services.source_polling.domain.run import Run, RunId, Tally, approve, begin, complete, fail, hold, wait
from services.source_polling.domain.source import SourceId
from services.source_polling.store.memory import MemoryStore
from tests.unit.source_polling.world import NOW, a_source

SOURCE = replace(a_source(), source_id=SourceId("src_1"))


class Clock:
    def now(self) -> object:
        return NOW


class Counted:
    def __init__(self) -> None:
        self.store = MemoryStore()
        self.ledger = CountedLedger(self.store, clock=Clock())  # type: ignore[arg-type]  # it tells one time

    async def begun(self, tally: Tally) -> Run:
        """A run that has counted so much."""
        await self.store.put(SOURCE)
        opened = await self.store.open(begin(SOURCE, RunId("run_1"), full=True, now=NOW))
        assert opened is not None
        taken = await self.store.take(opened.run_id, holder="me", now=NOW, until=NOW)
        assert taken is not None
        return replace(taken, tally=tally)

    def counts(self) -> tuple[Mapping[Labels, float], Mapping[Labels, int]]:
        runs, records = self.ledger.measures.instruments
        assert isinstance(runs, Histogram)
        assert isinstance(records, Counter)
        return records.counts, {labels: sum(row.counts) for labels, row in runs.rows.items()}

    async def gauges(self) -> Mapping[str, Mapping[Labels, float]]:
        measures = SourceNumbers(self.store, self.store, clock=Clock()).measures  # type: ignore[arg-type]  # as above
        for survey in measures.surveys:
            await survey()
        return {each.about.name: each.values for each in measures.instruments if isinstance(each, Gauge)}


@pytest.fixture
def counted() -> Counted:
    return Counted()


async def test_a_run_that_ends_is_counted_with_its_records(counted: Counted) -> None:
    run = await counted.begun(Tally(pages=1, seen=5, changed=3, unchanged=2))

    await counted.ledger.end(complete(run, now=NOW))

    records, runs = counted.counts()
    assert records == {("src_1", "changed"): 3, ("src_1", "unchanged"): 2}
    assert runs == {("src_1", "completed"): 1}


async def test_a_run_that_waits_has_not_ended(counted: Counted) -> None:
    run = await counted.begun(Tally(changed=3))

    await counted.ledger.end(wait(run, until=NOW, why="The source asks for patience."))

    assert counted.counts() == ({}, {})


async def test_records_of_a_held_run_are_counted_once(counted: Counted) -> None:
    run = await counted.begun(Tally(changed=3))
    held = hold(run, "Too many.", deletes=40, now=NOW)

    await counted.ledger.end(held)
    assert await counted.store.reopen(approve(held, now=NOW))
    again = await counted.store.take(run.run_id, holder="me", now=NOW, until=NOW)
    assert again is not None
    await counted.ledger.end(complete(replace(again, tally=again.tally.plus(deleted=40)), now=NOW))

    records, runs = counted.counts()
    assert records == {("src_1", "changed"): 3, ("src_1", "deleted"): 40}
    assert runs == {("src_1", "held"): 1, ("src_1", "completed"): 1}


async def test_how_the_newest_run_stands_is_told(counted: Counted) -> None:
    run = await counted.begun(Tally())
    await counted.ledger.end(hold(run, "Too many.", deletes=40, now=NOW))

    gauges = await counted.gauges()

    assert gauges["contactsync.source.last_run"] == {("src_1", "held"): 1}
    assert gauges["contactsync.source.held_deletes"] == {("src_1",): 40}


async def test_a_failed_run_is_told(counted: Counted) -> None:
    run = await counted.begun(Tally())
    await counted.ledger.end(fail(run, "The source said no.", now=NOW))

    gauges = await counted.gauges()

    assert gauges["contactsync.source.last_run"] == {("src_1", "failed"): 1}
