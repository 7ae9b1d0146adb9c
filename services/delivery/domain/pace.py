"""How fast a destination is sent to: a token bucket, and a rate that learns from 429."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

SLOWEST = 1.0
"""Parts per second: no slower does a destination get by refusals alone. Retry-After is for those slower yet."""
SETTLING = timedelta(seconds=2)
"""How long a new rate is given before further refusals lower it again."""
WINDOW = timedelta(seconds=10)
"""Over which it is measured how fast a destination was sent to when it first refused."""
FASTEST_DOUBT = 10.0
"""Parts per second: a destination that refuses although it was sent less gets no less than half of this at first."""
RECOVERY = timedelta(seconds=10)
"""In which a rate grows by as much as the destination was sent when it refused."""
LONGEST_SILENCE = timedelta(minutes=1)
"""However long a Retry-After asks for: the part that got it waits as long, but another asks the destination sooner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Tokens, of which each part takes one. It holds a second's worth, at least one."""

    tokens: float = 1.0
    at: datetime | None = None

    def filled(self, rate: float, *, now: datetime) -> "Bucket":
        """Return it as it is now, at a rate of tokens per second above 0."""
        room = max(rate, 1.0)
        if self.at is None:
            return Bucket(tokens=room, at=now)
        grown = self.tokens + rate * max((now - self.at).total_seconds(), 0.0)
        return Bucket(tokens=min(grown, room), at=now)

    def wait(self, rate: float) -> timedelta:
        """Tell how long until there is a whole token."""
        # A millisecond more than it takes: clocks round, and none may find it a hair short.
        missing = 1.0 - self.tokens
        return timedelta(0) if missing <= 0 else timedelta(seconds=missing / rate, milliseconds=1)

    def taken(self) -> "Bucket":
        """Return it with a token less."""
        return replace(self, tokens=self.tokens - 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedRate:
    """Halved when the destination says that it is too fast, and grown step by step while it does not.

    As made it knows no bound. It forgets one that it has outgrown twofold.
    """

    rate: float = 0.0
    """Parts per second. 0: no bound."""
    refused_at: float = 0.0
    """As fast as it was sent to when it first refused."""
    lowered_at: datetime | None = None
    changed_at: datetime | None = None
    silent_until: datetime | None = None
    """Nothing is sent before: it asked for that."""

    def refused(
        self,
        *,
        started_at: datetime,
        now: datetime,
        speed: float,
        retry_after: timedelta | None,
        longest: timedelta = LONGEST_SILENCE,
    ) -> "LearnedRate":
        """Return it after a 429, or a 503 with Retry-After; `speed` is how fast it was sent to.

        `longest`: the destination's longest delay, which no Retry-After exceeds. Refusals of what went before the
        rate had settled count once.
        """
        silence = min(retry_after or timedelta(0), LONGEST_SILENCE, longest)
        silent_until = max(now + silence, self.silent_until or now)
        if self.lowered_at is not None and self.rate and started_at < self.lowered_at + SETTLING:
            return replace(self, silent_until=silent_until)
        fast = self.rate or max(speed, FASTEST_DOUBT)
        return replace(
            self,
            rate=max(fast / 2, SLOWEST),
            refused_at=self.refused_at or fast,
            lowered_at=now,
            changed_at=now,
            silent_until=silent_until,
        )

    def taken(self, *, now: datetime) -> "LearnedRate":
        """Return it after a part was taken."""
        if not self.rate or self.changed_at is None:
            return self
        gained = self.refused_at * ((now - self.changed_at) / RECOVERY)
        rate = self.rate + max(gained, 0.0)
        if rate > 2 * self.refused_at:
            return LearnedRate()
        return replace(self, rate=rate, changed_at=now)


@dataclass(slots=True)
class Meter:
    """How fast a destination was sent to of late. The one thing here that changes in place: every send is counted."""

    since: datetime
    sent: int = 0

    def count(self, *, now: datetime) -> None:
        """Count a part."""
        if now - self.since > WINDOW:
            self.since, self.sent = now, 0
        self.sent += 1

    def speed(self, *, now: datetime) -> float:
        """Tell how many parts per second. At least a second counts, so that a first burst is not taken for a speed."""
        return self.sent / max((now - self.since).total_seconds(), 1.0)
