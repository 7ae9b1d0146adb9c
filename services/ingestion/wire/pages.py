"""Page tokens: opaque to callers, and the place behind which the next page begins."""

import base64
from datetime import UTC, datetime, timedelta

from services.ingestion.domain.errors import Invalid, Violation
from services.ingestion.domain.ids import JobId
from services.ingestion.domain.job import Job

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def job_token(job: Job) -> str:
    """The page behind this job."""
    return _sealed(f"{(job.created_at - _EPOCH) // timedelta(microseconds=1)} {job.job_id}")


def job_place(token: str) -> tuple[datetime, JobId] | None:
    """Where the page begins; None: at the newest. Raises Invalid."""
    if not token:
        return None
    try:
        micros, _, job_id = _opened(token).partition(" ")
        return _EPOCH + timedelta(microseconds=_number(micros, digits=16)), JobId(job_id)
    except ValueError:
        raise _odd_token("page_token") from None


def row_token(index: int) -> str:
    """The page behind this row."""
    return _sealed(str(index))


def row_place(token: str, *, name: str = "page_token") -> int:
    """The index behind which the page begins; -1: the first page. Raises Invalid, which points to `name`."""
    if not token:
        return -1
    try:
        return _number(_opened(token), digits=9)
    except ValueError:
        raise _odd_token(name) from None


def _sealed(place: str) -> str:
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _opened(token: str) -> str:
    return base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()


def _number(text: str, *, digits: int) -> int:
    if text.isascii() and text.isdecimal() and len(text) <= digits:
        return int(text)
    raise ValueError(text)


def _odd_token(name: str) -> Invalid:
    return Invalid(violations=[Violation(f"/{name}", "odd_token", f"{name} must be the one that an earlier page gave")])
