"""A breaker: a destination that does not answer is left alone for a while, and then asked by one parcel."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

SHORTEST_OUTAGE = timedelta(seconds=3)
"""It opens no sooner after the first of the failures, however many there are: that a server restarts is no outage."""
FIRST_REST = timedelta(seconds=1)
LONGEST_REST = timedelta(seconds=30)


class BreakerState(StrEnum):
    """Whether a destination is sent to."""

    CLOSED = "closed"
    """It is."""
    OPEN = "open"
    """It is not, until `retry_at`. What waits uses up no try."""
    HALF_OPEN = "half_open"
    """One parcel may try whether it answers again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """What is known of a destination's answering. As made: closed."""

    failures: int = 0
    """Tries without a usable answer, one after the other."""
    failing_since: datetime | None = None
    """When the first of them ended."""
    openings: int = 0
    """How often it opened since the destination last answered."""
    retry_at: datetime | None = None
    """When one parcel may try. None: it is closed."""
    probing_until: datetime | None = None
    """A parcel tries; if nothing is heard of it by then, the next may."""

    def state(self, now: datetime) -> BreakerState:
        """Tell how it stands."""
        if self.retry_at is None:
            return BreakerState.CLOSED
        return BreakerState.HALF_OPEN if self.retry_at <= now else BreakerState.OPEN

    def opens_at(self, now: datetime) -> datetime | None:
        """Tell when a parcel may go. None: now."""
        waits = [at for at in (self.retry_at, self.probing_until) if at is not None and at > now]
        return max(waits, default=None)

    def admitted(self, *, now: datetime, patience: timedelta) -> "Breaker":
        """Return it after a parcel went, which it let through. As a probe it keeps others back for `patience`."""
        return self if self.retry_at is None else replace(self, probing_until=now + patience)

    def given_back(self) -> "Breaker":
        """Return it after what was let through did not go."""
        return replace(self, probing_until=None)

    def answered(self) -> "Breaker":
        """Return it after any answer that shows a destination at work."""
        return self if self == CLOSED else CLOSED

    def failed(self, *, now: datetime, threshold: int, longest: timedelta = LONGEST_REST) -> "Breaker":
        """Return it after a try without a usable answer. What went before it opened does not open it again."""
        failures, since = self.failures + 1, self.failing_since or now
        is_straggler = self.retry_at is not None and self.probing_until is None
        if failures < threshold or now - since < SHORTEST_OUTAGE or is_straggler:
            return replace(self, failures=failures, failing_since=since)
        rest = min(FIRST_REST * 2 ** min(self.openings, 16), longest)
        return Breaker(failures=failures, failing_since=since, openings=self.openings + 1, retry_at=now + rest)


CLOSED = Breaker()
