"""Jobs as lists of them show them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from contactsync.ingestion.v1.job_pb2 import Job, JobStatus, RowState

from services.console.shown import moment

LOST = (RowState.ROW_STATE_FAILED, RowState.ROW_STATE_UNSUPPORTED, RowState.ROW_STATE_UNKNOWN)
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
    lost: int
    """Rows that are failed, unsupported or unknown, at the destination where they are most."""
    created_at: datetime | None


def shown_jobs(jobs: Iterable[Job]) -> list[ShownJob]:
    """The jobs in their order."""
    return [shown_job(job) for job in jobs]


def shown_job(job: Job) -> ShownJob:
    """The job in one line. A job that is done is no good news while rows of it are lost."""
    state, lost = JobStatus.Name(job.status).removeprefix("JOB_STATUS_").lower(), _lost(job)
    return ShownJob(
        job_id=job.job_id,
        client_id=job.client_id,
        correlation_id=job.correlation_id,
        trace_id=job.trace_id,
        state=state,
        mark="warn" if state == "completed" and lost else _MARKS[state],
        total=job.total_contacts,
        invalid=job.invalid_contacts,
        lost=lost,
        created_at=moment(job, "created_at"),
    )


def _lost(job: Job) -> int:
    counts = (sum(each.count for each in there.counts if each.state in LOST) for there in job.destinations)
    return max(counts, default=0)
