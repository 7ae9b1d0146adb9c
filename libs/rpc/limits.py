"""Token buckets: how often someone may do something."""

import math
from collections.abc import Hashable
from dataclasses import dataclass

_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a bucket said to one request."""

    allowed: bool
    limit: int
    """Requests that a full bucket holds."""
    remaining: int
    reset_seconds: int
    """Until the bucket is full again, rounded up."""
    retry_after_seconds: float
    """Until one request is allowed. 0 when this one was."""


class Buckets:
    """One bucket per key, each refilled evenly.

    A key that was not seen for long starts full, so nothing needs to be kept for it.
    """

    def __init__(self) -> None:
        self._levels: dict[Hashable, tuple[float, float, float]] = {}

    def __bool__(self) -> bool:
        """False: no bucket was ever taken from."""
        return bool(self._levels)

    def take(self, key: Hashable, *, rate: float, burst: float, now: float) -> Allowance:
        """Takes one token if there is one.

        `rate` is tokens per second, `burst` what a bucket holds (at least 1), `now` seconds.
        """
        level = self.level(key, rate=rate, burst=burst, now=now)
        allowed = level >= 1
        if allowed:
            level -= 1
        self._keep(key, level, now, (burst - level) / rate)
        wait = 0.0 if allowed else (1 - level) / rate
        return Allowance(allowed, int(burst), int(level), math.ceil((burst - level) / rate), wait)

    def level(self, key: Hashable, *, rate: float, burst: float, now: float) -> float:
        """Tokens in the bucket now; takes none."""
        kept = self._levels.get(key)
        if kept is None:
            return burst
        level, at, _ = kept
        return min(burst, level + max(0.0, now - at) * rate)

    def _keep(self, key: Hashable, level: float, now: float, full_in: float) -> None:
        if len(self._levels) >= _KEPT and key not in self._levels:
            self._forget(now)
        self._levels[key] = (level, now, now + full_in)

    def _forget(self, now: float) -> None:
        """Drops the buckets that are full again; the oldest half where that frees too little."""
        self._levels = {key: kept for key, kept in self._levels.items() if kept[2] > now}
        if len(self._levels) > _KEPT // 2:
            self._levels = dict(list(self._levels.items())[_KEPT // 2 :])
