"""The use cases of idempotency."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.idempotency.domain import (
    Beginning,
    Completion,
    Key,
    KeyNotFoundError,
    Record,
    Release,
    Request,
    Terms,
)
from services.idempotency.ports import Clock, JobIds, Keys, Records

_STEP = 500  # keys forgotten at once: small enough that begins hardly wait behind them


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long a holder may take before another may finish its job, and how long a key is kept."""

    lease: timedelta = timedelta(seconds=10)
    lifetime: timedelta = timedelta(hours=72)


class Idempotency:
    """Begins, completes and releases requests, and tells of keys."""

    def __init__(self, keys: Keys, records: Records, *, clock: Clock, job_ids: JobIds, limits: Limits) -> None:
        self._keys = keys
        self._records = records
        self._clock = clock
        self._job_ids = job_ids
        self._limits = limits

    async def begin(self, requests: Sequence[Request]) -> list[Beginning]:
        """Exactly one caller of a key is Started at any time; results in the order asked."""
        now, lease, lifetime = self._clock.now(), self._limits.lease, self._limits.lifetime
        return await self._keys.begin(
            [(request, Terms(now, self._job_ids.draw(), lease, lifetime)) for request in requests]
        )

    async def complete(self, completions: Sequence[Completion]) -> list[bool]:
        """Whether each key now holds an answer, in the order asked."""
        return await self._keys.complete(completions)

    async def release(self, releases: Sequence[Release]) -> list[bool]:
        """Whether each key was freed by this call, in the order asked."""
        return await self._keys.release(releases)

    async def look_up(self, key: Key) -> Record:
        """What is kept of a key; looking counts as no access. Raises KeyNotFoundError, also when it has expired."""
        record = await self._records.find(key)
        if record is None or record.expires_at <= self._clock.now():
            raise KeyNotFoundError
        return record

    async def forget_expired(self) -> int:
        """Forgets every key that has expired, in small steps, and tells how many."""
        forgotten = 0
        while step := await self._records.forget_expired(self._clock.now(), limit=_STEP):
            forgotten += step
        return forgotten
