"""Looks for what should have happened by now, and wakes it."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.delivery.domain.destination import Destination, DestinationId
from services.delivery.domain.watch import FORGOTTEN, LATE, Late, Watch, together
from services.delivery.handler.gates import Gates
from services.delivery.ports import Alarm, Backlog, Clock, Destinations, Tickets


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookout:
    """What is looked at."""

    backlog: Backlog
    destinations: Destinations
    tickets: Tickets
    gates: Gates
    alarm: Alarm
    clock: Clock


class Watchdog:
    """Counts what is late, where it may be sent: what is paused, left alone or kept at a pace waits by right."""

    def __init__(self, lookout: Lookout) -> None:
        self._lookout = lookout

    async def watch(self) -> Watch:
        """Look, and change nothing."""
        late = await self._late()
        return Watch(late=together([each for _, each in late]), tickets=await self._lookout.tickets.waiting())

    async def heal(self) -> Watch:
        """Look, and wake what is late."""
        late = await self._late()
        now = self._lookout.clock.now()
        for destination_id, each in late:
            if each.count:
                self._lookout.alarm.ring(destination_id, at=now)
        return Watch(late=together([each for _, each in late]), tickets=await self._lookout.tickets.waiting())

    async def _late(self) -> Sequence[tuple[DestinationId, Late]]:
        now = self._lookout.clock.now()
        due, came = now - LATE, now - FORGOTTEN
        open_ones = [each for each in await self._lookout.destinations.list() if self._should_flow(each)]
        return [
            (each.destination_id, await self._lookout.backlog.late(each.destination_id, due=due, came=came))
            for each in open_ones
        ]

    def _should_flow(self, destination: Destination) -> bool:
        is_bound = destination.rate > 0 or self._lookout.gates.health(destination).rate_now > 0
        return not destination.is_held and not is_bound and self._lookout.gates.opens_at(destination) is None
