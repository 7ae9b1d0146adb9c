"""What ingestion counts: imports and rows as they are stored, and what waits to be made known."""

from collections import Counter as Tally
from collections.abc import Sequence

from libs.measures import About, Counter, Gauge, Measures
from services.ingestion.domain.ids import JobId
from services.ingestion.domain.job import Acceptance
from services.ingestion.domain.status import JobRecord
from services.ingestion.ports.store import Accepted, JobQuery, Jobs, OutboxWatch
from services.ingestion.ports.time import Clock


class CountedJobs(Jobs):
    """Counts what was stored, once it is on disk; a job that was stored before is not counted again."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        imports = About(
            name="contactsync.import.jobs",
            text="Imports that were stored, by who brought them: a client, or a source that is polled.",
            unit="{job}",
            labels=("contactsync.origin",),
        )
        rows = About(
            name="contactsync.import.rows",
            text="Rows of stored imports: accepted, or rejected with a code.",
            unit="{row}",
            labels=("contactsync.row.fate", "contactsync.reject.code"),
        )
        self._imports, self._rows = Counter(imports), Counter(rows)
        self.measures = Measures(instruments=(self._imports, self._rows))

    async def accept(self, acceptance: Acceptance) -> Accepted:
        """Counts the job."""
        accepted = await self._jobs.accept(acceptance)
        if accepted.tickets:
            self._imports.add(("source" if acceptance.job.source_id else "client",))
            self._rows.add(("accepted", ""), acceptance.job.valid)
            if acceptance.rejected:
                self._count_rejected(acceptance)
        return accepted

    def _count_rejected(self, acceptance: Acceptance) -> None:
        for code, rows in Tally(row.code for row in acceptance.rejected).items():
            self._rows.add(("rejected", code), rows)

    async def find(self, job_id: JobId) -> JobRecord | None:
        """The job with its deliveries."""
        return await self._jobs.find(job_id)

    async def newest(self, query: JobQuery) -> Sequence[JobRecord]:
        """The jobs asked for."""
        return await self._jobs.newest(query)


class OutboxNumbers:
    """Read from the database when asked: so they are right after a restart too."""

    def __init__(self, outbox: OutboxWatch, *, clock: Clock) -> None:
        self._outbox = outbox
        self._clock = clock
        depth = About(
            name="contactsync.outbox.depth",
            text="Deliveries that wait to be made known to delivery.",
            unit="{delivery}",
        )
        age = About(name="contactsync.outbox.age", text="Since when the oldest of them waits; 0: none does.", unit="s")
        unfinished = About(
            name="contactsync.import.deliveries.open",
            text="Deliveries of imports that are not done: those in the outbox, under way, and to be tried again.",
            unit="{delivery}",
        )
        self._depth, self._age, self._open = Gauge(depth), Gauge(age), Gauge(unfinished)
        self.measures = Measures(instruments=(self._depth, self._age, self._open), surveys=(self._look,))

    async def _look(self) -> None:
        seen = await self._outbox.depth()
        self._open.show(seen.unfinished)
        self._depth.show(seen.unpublished)
        waited = 0.0 if seen.oldest_at is None else (self._clock() - seen.oldest_at).total_seconds()
        self._age.show(max(0.0, waited))
