"""What a delivery under way consists of, and what it is made with."""

from dataclasses import dataclass, field
from datetime import datetime

from services.delivery.domain.delivery import Attempt, Delivery
from services.delivery.domain.destination import Destination
from services.delivery.domain.parts import BOUNDS, Bounds
from services.delivery.ports import (
    Alarm,
    Backlog,
    Chance,
    Chunks,
    Clock,
    Destinations,
    Ledger,
    Lookup,
    Outcomes,
    PauseSwitch,
    Sender,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What deliveries are made with."""

    ledger: Ledger
    backlog: Backlog
    destinations: Destinations
    switch: PauseSwitch
    chunks: Chunks
    sender: Sender
    lookup: Lookup
    outcomes: Outcomes
    alarm: Alarm
    clock: Clock
    chance: Chance
    bounds: Bounds = BOUNDS


@dataclass(slots=True, kw_only=True)
class Errand:
    """A delivery that is under way here."""

    delivery: Delivery
    destination: Destination
    is_known: bool
    """The ledger has it."""
    is_sending: bool = False
    """It has a place, and ends within the destination's time-out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A delivery after a try, not on disk yet, and what the try was.

    `body` is what came back where something was not taken, for operators alone.
    """

    delivery: Delivery
    started_at: datetime
    body: bytes = field(default=b"", repr=False)

    @property
    def attempt(self) -> Attempt:
        """The try as it is kept."""
        delivery = self.delivery
        assert delivery.attempted_at is not None
        return Attempt(
            key=delivery.ref.key,
            number=delivery.attempt_count,
            started_at=self.started_at,
            duration=delivery.attempted_at - self.started_at,
            status=delivery.status,
            message=delivery.message,
            answer=self.body.decode(errors="replace"),
        )
