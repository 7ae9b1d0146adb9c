"""Imports are counted when they are stored, and once."""

from collections.abc import Mapping

from libs.measures import Counter, Gauge, Labels
from services.ingestion.counting import CountedJobs, OutboxNumbers
from services.ingestion.domain.job import Acceptance
from services.ingestion.ports.store import Accepted, Jobs
from tests.unit.ingestion.world import World, contact, contacts


class Kept:
    """Jobs that remember what was accepted."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self.acceptances: list[Acceptance] = []

    async def accept(self, acceptance: Acceptance) -> Accepted:
        self.acceptances.append(acceptance)
        return await self._jobs.accept(acceptance)

    def __getattr__(self, name: str) -> object:
        return getattr(self._jobs, name)


def counts(jobs: CountedJobs) -> Mapping[str, Mapping[Labels, float]]:
    return {each.about.name: each.counts for each in jobs.measures.instruments if isinstance(each, Counter)}


async def test_a_job_that_is_stored_already_is_not_counted_again() -> None:
    world = World()
    kept = Kept(world.store)
    world.imports._jobs = jobs = CountedJobs(kept)  # type: ignore[arg-type]  # it passes everything on
    await world.job([*contacts(2), contact(phone="12"), contact(phone="13")])

    await jobs.accept(kept.acceptances[0])

    counted = counts(jobs)
    assert counted["contactsync.import.jobs"] == {("client",): 1}
    assert counted["contactsync.import.rows"] == {("accepted", ""): 2, ("rejected", "not_a_number"): 2}


async def test_the_outbox_is_told_by_how_much_waits_and_how_long() -> None:
    world = World()
    await world.job(contacts(1))
    world.later(40)
    measures = OutboxNumbers(world.store, clock=world.clock).measures

    for survey in measures.surveys:
        await survey()

    shown = {each.about.name: each.values[()] for each in measures.instruments if isinstance(each, Gauge)}
    assert shown == {
        "contactsync.outbox.depth": 1,
        "contactsync.outbox.age": 40,
        "contactsync.import.deliveries.open": 1,
    }
