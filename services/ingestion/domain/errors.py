"""Refusals: each with the name of its reason (contactsync.error.v1.Reason without REASON_) and what its wire shows.

Nothing here holds contact data: whoever gets an error copies it into logs and tickets. A pointer says where it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule. pointer is a JSON Pointer into the request (RFC 6901)."""

    pointer: str
    code: str
    message: str


@dataclass(eq=False, repr=False, kw_only=True)
class Refused(Exception):
    """The request is refused."""

    reason: str = "INTERNAL_ERROR"
    message: str = "Internal error"
    violations: Sequence[Violation] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    retry_after: timedelta | None = None

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"


@dataclass(eq=False, repr=False, kw_only=True)
class Invalid(Refused):
    """The request breaks the contract."""

    reason: str = "VALIDATION_ERROR"
    message: str = "Request validation failed"


@dataclass(eq=False, repr=False, kw_only=True)
class TooLarge(Refused):
    """The body or the number of rows is over the limit."""

    reason: str = "PAYLOAD_TOO_LARGE"


@dataclass(eq=False, repr=False, kw_only=True)
class JobNotFound(Refused):
    """There is no such job, or it is another client's: the two look alike."""

    reason: str = "NOT_FOUND"
    message: str = "Job not found"
    fields: Mapping[str, str] = field(default_factory=lambda: {"resource": "job"})


@dataclass(eq=False, repr=False, kw_only=True)
class Unavailable(Refused):
    """Something that the request needs does not answer now."""

    reason: str = "SERVICE_UNAVAILABLE"
    message: str = "The service is not available now; the same request may succeed later"
    retry_after: timedelta | None = timedelta(seconds=1)


def conflict(existing_created_at: datetime) -> Refused:
    """The key was first used, at that time, with another payload."""
    return Refused(
        reason="IDEMPOTENCY_CONFLICT",
        message="Idempotency key reused with different payload",
        fields={"existing_created_at": timestamp(existing_created_at)},
    )


SOON = timedelta(seconds=2)
"""Most requests that run are done by then; a lease that nobody holds any more is asked for a few times."""


def in_progress(left: timedelta) -> Refused:
    """The first request with the key still runs, for at most this long."""
    whole = min(SOON, timedelta(seconds=max(1, -(-left // timedelta(seconds=1)))))
    return Refused(
        reason="IDEMPOTENCY_IN_PROGRESS",
        message="The first request with this idempotency key still runs",
        retry_after=whole,
    )


def too_many_rows(limit: int) -> TooLarge:
    """The import has more rows than one request may."""
    return TooLarge(message=f"At most {limit} contacts a request; split the import", fields={"limit": str(limit)})


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC, in whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
