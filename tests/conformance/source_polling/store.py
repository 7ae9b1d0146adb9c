"""The stores under test, behind one face."""

from dataclasses import dataclass
from datetime import timedelta

from services.source_polling.domain.record import ExternalId
from services.source_polling.domain.run import Run, RunId, begin
from services.source_polling.domain.source import Source
from services.source_polling.ports.store import Parcel
from services.source_polling.store.memory import MemoryStore
from services.source_polling.store.runs import SqlRuns
from services.source_polling.store.sources import SqlSources
from services.source_polling.store.steps import SqlLedger
from tests.unit.source_polling.world import NOW

MINUTE = timedelta(minutes=1)
KEPT = 3
"""Runs of a source that these stores keep."""


@dataclass
class Store:
    sources: MemoryStore | SqlSources
    runs: MemoryStore | SqlRuns
    ledger: MemoryStore | SqlLedger

    async def opened(self, source: Source, run_id: str = "r1") -> Run:
        run = await self.runs.open(begin(source, RunId(run_id), full=False, now=NOW))
        assert run is not None
        return run

    async def taken(self, source: Source, run_id: str = "r1", *, holder: str = "one") -> Run:
        run = await self.opened(source, run_id)
        taken = await self.runs.take(run.run_id, holder=holder, now=NOW, until=NOW + MINUTE)
        assert taken is not None
        return taken

    async def seen(self, run: Run) -> Run:
        found = await self.runs.find_run(run.source_id, run.run_id)
        assert found is not None
        return found


def ids(*numbers: int) -> list[ExternalId]:
    return [ExternalId(str(number)) for number in numbers]


def parcel_of(run: Run, number: int) -> Parcel:
    return Parcel(run.run_id, number, b"\x00body%d" % number)
