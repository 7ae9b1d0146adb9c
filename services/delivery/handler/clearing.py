"""What waits for a destination that was deleted."""

from dataclasses import dataclass

from typing_extensions import override

from services.delivery.domain.destination import DestinationId
from services.delivery.handler.deliver import BATCH, Deliverer, InterruptedDeliveriesError
from services.delivery.ports import Backlog, Clock
from services.delivery.ports.operating import Clearing, Haste


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearance(Clearing):
    """Lets the deliverer find out that there is no such destination any more, which ends a delivery as failed."""

    backlog: Backlog
    haste: Haste
    deliverer: Deliverer
    clock: Clock

    @override
    async def clear(self, destination_id: DestinationId) -> None:
        """What is being sent ends on its own. A fault leaves the rest to ingestion's sweeper, which asks for it."""
        now = self.clock.now()
        await self.haste.hasten(destination_id, now=now)
        ended: set[object] = set()
        while due := await self.backlog.due(destination_id, now=now, limit=BATCH):
            fresh = [each.ref for each in due if each.ref.key not in ended]
            if not fresh:
                return
            ended.update(ref.key for ref in fresh)
            try:
                await self.deliverer.deliver(fresh)
            except InterruptedDeliveriesError:
                return
