"""What came in and what was done, minute by minute."""

from dataclasses import dataclass
from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class MinuteActivity:
    """One minute: jobs that were accepted in it, and jobs whose last row was done in it, each with their rows."""

    started_at: datetime
    jobs: int = 0
    rows: int = 0
    rejected_rows: int = 0
    completed_jobs: int = 0
    completed_rows: int = 0


def minute_of(at: datetime) -> datetime:
    """When the minute began."""
    return at.replace(second=0, microsecond=0)
