"""Jobs as lists of them show them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from contactsync.ingestion.v1.job_pb2 import Job, JobStatus

from services.console.shown import moment

_MARKS = {"pending": "idle", "processing": "busy", "completed": "good", "failed": "bad"}


@dataclass(frozen=True, slots=True)
class ShownJob:
    """A job in one line. `state` is a word of "job.…", `mark` its colour."""

    job_id: str
    client_id: str
    correlation_id: str
    trace_id: str
    state: str
    mark: str
    total: int
    invalid: int
    created_at: datetime | None


def shown_jobs(jobs: Iterable[Job]) -> list[ShownJob]:
    """The jobs in their order."""
    return [_shown(job) for job in jobs]


def _shown(job: Job) -> ShownJob:
    state = JobStatus.Name(job.status).removeprefix("JOB_STATUS_").lower()
    return ShownJob(
        job_id=job.job_id,
        client_id=job.client_id,
        correlation_id=job.correlation_id,
        trace_id=job.trace_id,
        state=state,
        mark=_MARKS[state],
        total=job.total_contacts,
        invalid=job.invalid_contacts,
        created_at=moment(job, "created_at"),
    )
