"""One winner per key under any race, and its answer kept for everyone after it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NewType

ClientId = NewType("ClientId", str)
JobId = NewType("JobId", str)
Fence = NewType("Fence", int)

_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """A client's own name for one of its requests; another client's key of the same text is another key."""

    client_id: ClientId
    text: str


@dataclass(frozen=True, slots=True)
class Request:
    """A request to begin, known by its key and by two hashes of its body: as received, and of its canonical form.

    `holder` names who asks, and nobody else; empty: nobody.
    """

    key: Key
    body_hash: bytes
    fingerprint: bytes
    holder: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the request was answered, byte for byte."""

    status_code: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept of a key. `access_count` counts replays; `accessed_at` is the last one, or the begin before any."""

    key: Key
    job_id: JobId
    body_hash: bytes
    fingerprint: bytes
    fence: Fence
    lease_until: datetime
    created_at: datetime
    expires_at: datetime
    accessed_at: datetime
    access_count: int = 0
    answer: Answer | None = None
    holder: bytes = b""

    def is_of(self, request: Request) -> bool:
        """Equal bytes are the same request without a look at the canonical form."""
        return self.body_hash == request.body_hash or self.fingerprint == request.fingerprint

    def is_held_by(self, request: Request) -> bool:
        """The request was begun, and its answer lost on the way: it is asked once more."""
        return bool(request.holder) and self.holder == request.holder


@dataclass(frozen=True, slots=True)
class Terms:
    """Under what a begin is judged; `job_id` is used if the key turns out to be new."""

    now: datetime
    job_id: JobId
    lease: timedelta
    lifetime: timedelta


@dataclass(frozen=True, slots=True)
class Started:
    """The caller holds the lease, and must complete or release."""

    job_id: JobId
    fence: Fence
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Replay:
    """The request is done; this is its answer."""

    answer: Answer
    job_id: JobId


@dataclass(frozen=True, slots=True)
class Conflict:
    """The key was used with another payload."""

    existing_created_at: datetime


@dataclass(frozen=True, slots=True)
class InProgress:
    """Another caller holds the lease."""

    lease_until: datetime


Beginning = Started | Replay | Conflict | InProgress


def begin(record: Record | None, request: Request, terms: Terms) -> tuple[Beginning, Record | None]:
    """What a begin comes to, and the record to keep; None: the one there is stays as it is.

    A lease that lapsed goes to whoever asks next, to finish the same job. Another payload is a conflict even then: the
    job of the first may be under way.
    """
    if record is None or record.expires_at <= terms.now:
        return _hold(_open(request, terms, after=record))
    if not record.is_of(request):
        return Conflict(record.created_at), None
    if record.answer is not None:
        counted = replace(record, accessed_at=terms.now, access_count=record.access_count + 1)
        return Replay(record.answer, record.job_id), counted
    if record.lease_until <= terms.now:
        fence, lease_until = next_fence(record, terms.now), terms.now + terms.lease
        return _hold(replace(record, fence=fence, lease_until=lease_until, holder=request.holder))
    if record.is_held_by(request):
        return Started(record.job_id, record.fence, record.created_at), None
    return InProgress(record.lease_until), None


def next_fence(record: Record | None, now: datetime) -> Fence:
    """Greater than any before it, also than those of a record that was released or expired: hence taken from the clock.

    Counting from one would let a holder from before a release complete the request of a holder from after it.
    """
    clock = (now - _EPOCH) // _MICROSECOND
    return Fence(clock if record is None else max(clock, record.fence + 1))


def complete(record: Record | None, fence: Fence, answer: Answer) -> tuple[bool, Record | None]:
    """Whether the key now holds an answer, and the record to keep. The first stored answer stays."""
    if record is None:
        return False, None
    if record.answer is not None:
        return True, None
    return (True, replace(record, answer=answer)) if record.fence == fence else (False, None)


def may_release(record: Record | None, fence: Fence) -> bool:
    """Only by the last holder, and only before there is an answer."""
    return record is not None and record.answer is None and record.fence == fence


def _open(request: Request, terms: Terms, *, after: Record | None) -> Record:
    return Record(
        key=request.key,
        job_id=terms.job_id,
        body_hash=request.body_hash,
        fingerprint=request.fingerprint,
        fence=next_fence(after, terms.now),
        lease_until=terms.now + terms.lease,
        created_at=terms.now,
        expires_at=terms.now + terms.lifetime,
        accessed_at=terms.now,
        holder=request.holder,
    )


def _hold(record: Record) -> tuple[Started, Record]:
    return Started(record.job_id, record.fence, record.created_at), record


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer to store for the holder of a fence."""

    key: Key
    fence: Fence
    answer: Answer


@dataclass(frozen=True, slots=True)
class Release:
    """A key to free by the holder of a fence."""

    key: Key
    fence: Fence


@dataclass
class KeyNotFoundError(Exception):
    """The client never used the key, or it has expired, or its request was refused."""

    reason: str = "NOT_FOUND"
    message: str = "There is no such idempotency key, or it has expired."
    fields: Mapping[str, str] = field(default_factory=lambda: {"resource": "idempotency_key"})
