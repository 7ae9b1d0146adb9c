"""How the hub fares. A part of the hub that is away takes its own part of the page along, and no other."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from contactsync.delivery.v1 import delivery_service_pb2 as delivery
from contactsync.ingestion.v1 import ingestion_service_pb2 as ingestion

from libs.rpc import PeerUnavailable
from services.console.pages.destinations import Fare, fares
from services.console.pages.jobs import shown_jobs
from services.console.visit import Show, View, Visit

_LATEST = 8
_MINUTES = 60
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Traffic:
    """What came in in the last hour. `accepted` and `completed` are rows minute by minute, oldest first."""

    accepted: Sequence[int]
    completed: Sequence[int]
    rejected: int
    unfinished: int

    @property
    def rows(self) -> int:
        """Rows of the hour."""
        return sum(self.accepted)

    @property
    def per_minute(self) -> int:
        """Rows of the last minute that is over."""
        return self.accepted[-2]

    @property
    def most(self) -> int:
        """Rows of the busiest minute."""
        return max((*self.accepted, *self.completed))

    @property
    def rejected_percent(self) -> float:
        """Of the hour's rows."""
        return 100 * self.rejected / self.rows if self.rows else 0.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits at the destinations, over all of them."""

    oldest_at: datetime | None
    dead_letters: int


async def show_overview(visit: Visit) -> View:
    """Traffic, services, destinations, the latest imports."""
    services = visit.services
    listing = services.ask(services.ingestion.ListJobs, ingestion.ListJobsRequest(page_size=_LATEST))
    watching = services.ask(services.delivery.GetHealth, delivery.GetHealthRequest())
    health, traffic, watched, found, latest = await asyncio.gather(
        services.health(),
        _unless_away(_traffic(visit)),
        _unless_away(watching),
        _unless_away(fares(visit)),
        _unless_away(listing),
    )
    facts = {
        "health": health,
        "traffic": traffic,
        "watched": watched,
        "fares": found,
        "waiting": _waiting(found) if found is not None else None,
        "jobs": shown_jobs(latest.jobs) if latest is not None else None,
    }
    return View("overview.html", facts)


async def _unless_away(answer: Awaitable[T]) -> T | None:
    """None: the service that was asked does not answer."""
    try:
        return await answer
    except PeerUnavailable:
        return None


async def _traffic(visit: Visit) -> Traffic:
    services = visit.services
    told = await services.ask(services.ingestion.GetActivity, ingestion.GetActivityRequest(minutes=_MINUTES))
    return Traffic(
        accepted=[minute.rows for minute in told.minutes],
        completed=[minute.completed_rows for minute in told.minutes],
        rejected=sum(minute.rejected_rows for minute in told.minutes),
        unfinished=told.unfinished_deliveries,
    )


def _waiting(found: Sequence[Fare]) -> Waiting:
    oldest = min((each.oldest_at for each in found if each.oldest_at), default=None)
    return Waiting(oldest, sum(each.dead_letters for each in found))


PAGES = (Show("", show_overview),)
