"""What should not be and heals by itself; seen, so that somebody asks why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

LATE = timedelta(minutes=1)
"""So long after it was due a delivery to a destination that may be sent to is late."""
FORGOTTEN = timedelta(minutes=5)
"""So long after it came a late delivery that was never tried counts as forgotten."""
MANY_TICKETS = 1000
"""So many tickets on the bus that nobody has dealt with are a lag. Each names up to a hundred deliveries."""
COUNTED = 1000
"""Deliveries of one destination that are counted at most: a large backlog is not gone through to be told."""


class Condition(StrEnum):
    """Something that should not be."""

    LATE = "deliveries_late"
    """Deliveries are due since a minute and more, at destinations that may be sent to."""
    FORGOTTEN = "deliveries_never_tried"
    """Some of them were never tried."""
    LAGGING = "tickets_lagging"
    """Tickets come faster than they are dealt with."""
    UNHEARD = "bus_unheard"
    """The bus does not say how many tickets wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """Deliveries that should have been tried by now, counted up to `COUNTED`."""

    count: int = 0
    never_tried: int = 0
    oldest_due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What was seen. `tickets` is how many wait on the bus or are being dealt with; None: it does not say."""

    late: Late
    tickets: int | None

    @property
    def conditions(self) -> Sequence[Condition]:
        """What of it should not be."""
        found = {
            Condition.LATE: self.late.count > 0,
            Condition.FORGOTTEN: self.late.never_tried > 0,
            Condition.LAGGING: self.tickets is not None and self.tickets >= MANY_TICKETS,
            Condition.UNHEARD: self.tickets is None,
        }
        return [condition for condition, holds in found.items() if holds]


def together(all_late: Sequence[Late]) -> Late:
    """Add up what is late at several destinations."""
    oldest = [each.oldest_due_at for each in all_late if each.oldest_due_at is not None]
    return Late(
        count=sum(each.count for each in all_late),
        never_tried=sum(each.never_tried for each in all_late),
        oldest_due_at=min(oldest, default=None),
    )
