"""Whether a destination is sent to now: its breaker, its pace, and what it said of itself. Pure, with `now` given."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from services.delivery.domain.answer import Answer, NoAnswer, Refused, Taken, blames_destination
from services.delivery.domain.breaker import LONGEST_REST, Breaker, BreakerState
from services.delivery.domain.delivery import LEASE_MARGIN
from services.delivery.domain.destination import Destination, DestinationKind
from services.delivery.domain.pace import Bucket, LearnedRate
from services.delivery.domain.parts import Bounds

QUICK = timedelta(seconds=1)
BOOK_REST = timedelta(seconds=2)
"""The contact book is a part of the hub, and back in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationHealth:
    """How a destination does, as this process sees it."""

    breaker: BreakerState
    rate_now: float
    """Parts per second that it is sent at most: the lower of its setting and what it taught. 0: no bound."""
    consecutive_failures: int
    """Tries without a usable answer, one after the other."""
    retry_at: datetime | None
    """When it is sent to again. None: it may be now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What one process knows of a destination's answering. As made: it may be sent to as fast as it is set."""

    breaker: Breaker = field(default_factory=Breaker)
    bucket: Bucket = field(default_factory=Bucket)
    learned: LearnedRate = field(default_factory=LearnedRate)
    denials: int = 0
    """Answers about the destination itself, one after the other."""

    def rate(self, destination: Destination) -> float:
        """Tell how many parts per second it is sent at most. 0: no bound."""
        given, learned = destination.rate, self.learned.rate
        return min(given, learned) if given and learned else given or learned

    def opens_at(self, destination: Destination, *, now: datetime) -> datetime | None:
        """Tell when a part may go. None: now."""
        if self is UNTROUBLED and not destination.rate:
            return None
        waits = [self.breaker.opens_at(now)]
        if self.learned.silent_until is not None and self.learned.silent_until > now:
            waits.append(self.learned.silent_until)
        rate = self.rate(destination)
        if rate and (pause := self.bucket.filled(rate, now=now).wait(rate)):
            waits.append(now + pause)
        return max((at for at in waits if at is not None), default=None)

    def room(self, destination: Destination, *, now: datetime) -> int | None:
        """Tell how many parts may go now. None: any number."""
        if self.opens_at(destination, now=now) is not None:
            return 0
        if self.breaker.retry_at is not None:
            return 1
        rate = self.rate(destination)
        return int(self.bucket.filled(rate, now=now).tokens) if rate else None

    def admitted(self, destination: Destination, *, now: datetime) -> "Flow":
        """Return it after a part went."""
        rate = self.rate(destination)
        if not rate and self.breaker.retry_at is None:
            return self
        return replace(
            self,
            bucket=self.bucket.filled(rate, now=now).taken() if rate else Bucket(),
            breaker=self.breaker.admitted(now=now, patience=destination.part_timeout + LEASE_MARGIN),
        )

    def given_back(self) -> "Flow":
        """Return it after a part that was let through did not go."""
        return replace(self, breaker=self.breaker.given_back())

    def answered(
        self,
        answer: Answer,
        destination: Destination,
        *,
        started_at: datetime,
        now: datetime,
        speed: float,
        bounds: Bounds,
    ) -> "Flow":
        """Return it after a part was answered, or was not. `speed`: parts per second that it was sent of late."""
        if isinstance(answer, Taken) and not answer.strained and self is UNTROUBLED:
            return self
        denials = self.denials + 1 if blames_destination(answer) else 0
        if _is_quick_cut(answer, took=now - started_at):
            breaker = self.breaker.given_back()
        elif _is_outage(answer):
            breaker = self.breaker.failed(now=now, threshold=bounds.failures, longest=_longest_rest(destination))
        else:
            breaker = self.breaker.answered()
        learned = self._learned(answer, destination, started_at=started_at, now=now, speed=speed)
        after = replace(self, breaker=breaker, learned=learned, denials=denials)
        return UNTROUBLED if after == UNTROUBLED else after

    def _learned(
        self, answer: Answer, destination: Destination, *, started_at: datetime, now: datetime, speed: float
    ) -> LearnedRate:
        if not isinstance(answer, NoAnswer) and _is_too_fast(answer):
            return self.learned.refused(
                started_at=started_at,
                now=now,
                speed=speed,
                retry_after=answer.retry_after,
                longest=destination.retry.max_delay,
            )
        is_taken = isinstance(answer, Taken) and not answer.strained
        return self.learned.taken(now=now) if is_taken else self.learned

    def health(self, destination: Destination, *, now: datetime) -> DestinationHealth:
        """Tell how the destination does."""
        return DestinationHealth(
            breaker=self.breaker.state(now),
            rate_now=self.rate(destination),
            consecutive_failures=self.breaker.failures,
            retry_at=self.opens_at(destination, now=now),
        )


UNTROUBLED = Flow()
"""The one that is asked for most by far: compared by identity, it costs nothing."""


def _is_quick_cut(answer: Answer, *, took: timedelta) -> bool:
    """It took the part and then cut the line: that says nothing of the next, and to find out costs next to nothing."""
    return isinstance(answer, NoAnswer) and answer.reached and took < QUICK


def _is_outage(answer: Answer) -> bool:
    return isinstance(answer, NoAnswer) or (isinstance(answer, Refused) and answer.status >= 500)


def _is_too_fast(answer: Refused | Taken) -> bool:
    return answer.status == 429 or (answer.status == 503 and answer.retry_after is not None)


def _longest_rest(destination: Destination) -> timedelta:
    longest = BOOK_REST if destination.kind is DestinationKind.DIRECTORY else LONGEST_REST
    return min(longest, destination.retry.max_delay)
