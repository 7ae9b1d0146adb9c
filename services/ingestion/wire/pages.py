"""Page tokens: opaque to callers, and the place behind which the next page begins."""

import base64
import binascii
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
    micros, _, job_id = _opened(token).partition(" ")
    return _EPOCH + timedelta(microseconds=_number(micros)), JobId(job_id)


def row_token(index: int) -> str:
    """The page behind this row."""
    return _sealed(str(index))


def row_place(token: str) -> int:
    """The index behind which the page begins; -1: the first page. Raises Invalid."""
    return _number(_opened(token)) if token else -1


def _sealed(place: str) -> str:
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _opened(token: str) -> str:
    try:
        return base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise _odd_token() from None


def _number(text: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) <= 16:
        return int(text)
    raise _odd_token()


def _odd_token() -> Invalid:
    message = "page_token must be the next_page_token of an earlier answer"
    return Invalid(violations=[Violation("/page_token", "odd_token", message)])
