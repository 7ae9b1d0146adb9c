"""What this process knows of each destination: whether it may be sent to now, and whether it has a backlog on disk."""

from dataclasses import replace
from datetime import datetime

from services.delivery.domain.answer import Answer
from services.delivery.domain.destination import Destination, DestinationId
from services.delivery.domain.flow import UNTROUBLED, DestinationHealth, Flow
from services.delivery.domain.pace import Meter
from services.delivery.domain.parts import BOUNDS, Bounds
from services.delivery.ports import Clock


class Gates:
    """A gate per destination. Each replica of the service has its own, and so learns for itself."""

    def __init__(self, *, clock: Clock, bounds: Bounds = BOUNDS) -> None:
        self._clock = clock
        self._bounds = bounds
        self._flows: dict[DestinationId, Flow] = {}
        self._meters: dict[DestinationId, Meter] = {}
        self._behind: set[DestinationId] = set()

    def opens_at(self, destination: Destination) -> datetime | None:
        """Tell when a part may go to the destination. None: now."""
        return self._flow(destination).opens_at(destination, now=self._clock.now())

    def room(self, destination: Destination) -> int | None:
        """Tell how many parts may go now. None: any number."""
        return self._flow(destination).room(destination, now=self._clock.now())

    def admit(self, destination: Destination) -> datetime | None:
        """Let one part go (None), or tell when to ask again. What was let go is answered for, or given back."""
        now, flow = self._clock.now(), self._flow(destination)
        at = flow.opens_at(destination, now=now)
        if at is None:
            self._flows[destination.destination_id] = flow.admitted(destination, now=now)
            self._meters.setdefault(destination.destination_id, Meter(now)).count(now=now)
        return at

    def give_back(self, destination: Destination) -> None:
        """Take back what was let go and did not go."""
        self._flows[destination.destination_id] = self._flow(destination).given_back()

    def is_probing(self, destination: Destination) -> bool:
        """Whether the next answer decides when others may go."""
        return self._flow(destination).breaker.retry_at is not None

    def note(self, answer: Answer, destination: Destination, *, started_at: datetime) -> bool:
        """Learn from an answer. True: with it the destination has denied itself often enough to be paused."""
        now, flow = self._clock.now(), self._flow(destination)
        meter = self._meters.get(destination.destination_id)
        speed = 0.0 if meter is None else meter.speed(now=now)
        after = flow.answered(answer, destination, started_at=started_at, now=now, speed=speed, bounds=self._bounds)
        denied = after.denials >= self._bounds.denials
        self._flows[destination.destination_id] = replace(after, denials=0) if denied else after
        return denied

    def health(self, destination: Destination) -> DestinationHealth:
        """Tell how the destination does."""
        return self._flow(destination).health(destination, now=self._clock.now())

    def is_behind(self, destination_id: DestinationId) -> bool:
        """Whether deliveries that could go now wait on disk: newer ones queue behind them."""
        return destination_id in self._behind

    def fall_behind(self, destination_id: DestinationId) -> bool:
        """Note that one waits on disk that could go now. True: it is the first."""
        is_first = destination_id not in self._behind
        self._behind.add(destination_id)
        return is_first

    def catch_up(self, destination_id: DestinationId) -> None:
        """Note that the disk is about to be looked at. To be called before, so that what comes meanwhile is noted."""
        self._behind.discard(destination_id)

    def _flow(self, destination: Destination) -> Flow:
        return self._flows.get(destination.destination_id, UNTROUBLED)
