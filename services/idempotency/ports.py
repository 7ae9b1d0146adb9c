"""What the handler needs of the world."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.idempotency.domain import Beginning, Completion, JobId, Key, Record, Release, Request, Terms


class Keys(Protocol):
    """Decides begins, completions and releases, one at a time per key whatever races; on disk when the call returns.

    Each call is all or nothing. A key asked twice in one call is decided in the order asked.
    """

    async def begin(self, asked: Sequence[tuple[Request, Terms]]) -> list[Beginning]:
        """Results in the order asked."""
        ...

    async def complete(self, completions: Sequence[Completion]) -> list[bool]:
        """Whether each key now holds an answer, in the order asked."""
        ...

    async def release(self, releases: Sequence[Release]) -> list[bool]:
        """Whether each key was freed by this call, in the order asked."""
        ...


class Records(Protocol):
    """Reads what is kept, and forgets it."""

    async def find(self, key: Key) -> Record | None:
        """As last committed, expired or not; None when there is none."""
        ...

    async def forget_expired(self, now: datetime, *, limit: int) -> int:
        """Forgets at most `limit` keys that expired by then, and tells how many."""
        ...


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """In UTC."""
        ...


class JobIds(Protocol):
    """Makes ids that were never used."""

    def draw(self) -> JobId:
        """A UUIDv4 as text."""
        ...
