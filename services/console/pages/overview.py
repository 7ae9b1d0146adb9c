"""How the hub fares."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from contactsync.delivery.v1 import delivery_service_pb2 as delivery
from contactsync.ingestion.v1 import ingestion_service_pb2 as ingestion

from services.console.pages.jobs import shown_jobs
from services.console.shown import moment
from services.console.visit import Show, View, Visit

_LATEST = 8
_BREAKERS = {"open": ("open", "bad"), "half-open": ("half_open", "warn")}


@dataclass(frozen=True, slots=True)
class ShownDestination:
    """A destination in short. `state` is a word of "destination.…", `mark` its colour."""

    name: str
    state: str
    mark: str
    waiting: int
    oldest: datetime | None
    dead_letters: int


async def show_overview(visit: Visit) -> View:
    """Services, destinations, the latest imports."""
    services = visit.services
    health, destinations, latest = await asyncio.gather(
        services.health(),
        _destinations(visit),
        services.ask(services.ingestion.ListJobs, ingestion.ListJobsRequest(page_size=_LATEST)),
    )
    return View("overview.html", {"health": health, "destinations": destinations, "jobs": shown_jobs(latest.jobs)})


async def _destinations(visit: Visit) -> list[ShownDestination]:
    services = visit.services
    listed = await services.ask(services.delivery.ListDestinations, delivery.ListDestinationsRequest())
    found = await asyncio.gather(
        *(
            services.ask(
                services.delivery.GetDestination, delivery.GetDestinationRequest(destination_id=destination.id)
            )
            for destination in listed.destinations
        )
    )
    return [_shown(each) for each in found]


def _shown(found: delivery.GetDestinationResponse) -> ShownDestination:
    destination = found.destination
    state, mark = ("paused", "warn") if destination.paused else _BREAKERS.get(found.health.breaker, ("well", "good"))
    oldest = moment(found, "oldest_waiting_at")
    return ShownDestination(destination.name, state, mark, found.waiting, oldest, found.dead_letters)


PAGES = (Show("", show_overview),)
