"""What operators look for in the store in memory."""

from collections.abc import Callable, Sequence
from datetime import datetime

from services.ingestion.domain.activity import MINUTE, MinuteActivity, minute_of
from services.ingestion.domain.job import Acceptance, Job
from services.ingestion.ports.store import SoughtPhone

Completed = tuple[Job, datetime | None]
"""A job, and when its last row was done."""


def has(phone: SoughtPhone, acceptance: Acceptance, phones_of: Callable[[bytes], Sequence[str]]) -> bool:
    """The job has a row with the phone."""
    delivered = (each for chunk in acceptance.chunks for each in phones_of(chunk.body))
    return (bool(phone.e164) and phone.e164 in delivered) or any(
        row.original_phone == phone.given or (row.normalized_phone == phone.e164 != "")
        for row in acceptance.rejected
        if row.original_phone
    )


def activity_of(jobs: Sequence[Completed], since: datetime, until: datetime) -> list[MinuteActivity]:
    """The minutes that have anything to tell, in their order."""
    counted = (_minute(since + MINUTE * place, jobs) for place in range((until - since) // MINUTE))
    return [each for each in counted if each.jobs or each.completed_jobs]


def _minute(minute: datetime, jobs: Sequence[Completed]) -> MinuteActivity:
    accepted = [job for job, _ in jobs if minute_of(job.created_at) == minute]
    completed = [job for job, at in jobs if at and minute_of(at) == minute]
    return MinuteActivity(
        started_at=minute,
        jobs=len(accepted),
        rows=sum(job.total for job in accepted),
        rejected_rows=sum(job.invalid for job in accepted),
        completed_jobs=len(completed),
        completed_rows=sum(job.valid for job in completed),
    )
