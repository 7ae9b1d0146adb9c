import asyncio
from collections.abc import Sequence
from datetime import timedelta

import structlog

from services.ingestion.domain.outcome import TicketRef
from services.ingestion.ports.store import Outbox
from services.ingestion.ports.time import Clock
from services.ingestion.publisher.relay import Relay

SWEPT = 1000

log = structlog.get_logger()


class Sweeper:
    """Makes known again what is not done after a while, so that losing every ticket loses nothing."""

    def __init__(self, *, outbox: Outbox, relay: Relay, clock: Clock, interval: timedelta) -> None:
        self._outbox = outbox
        self._relay = relay
        self._clock = clock
        self._interval = interval.total_seconds()

    async def run(self) -> None:
        """Sweeps at once, then at every interval, until cancelled."""
        while True:
            try:
                await self.sweep()
            except Exception as error:  # noqa: BLE001 - the next sweep may do better
                log.warning("sweep_failed", error=type(error).__name__)
            await asyncio.sleep(self._interval)

    async def sweep(self) -> None:
        """Announces what the relay left behind, and what is overdue."""
        now = self._clock()
        unpublished: Sequence[TicketRef] = ()
        if self._relay.behind:
            unpublished = await self._outbox.unpublished(limit=SWEPT)
            self._relay.behind = len(unpublished) == SWEPT
            self._relay.announce(unpublished)
        overdue = [each for each in await self._outbox.overdue(now=now, limit=SWEPT) if each not in unpublished]
        self._relay.announce(overdue, stamp=now.isoformat())
        if overdue:
            log.info("deliveries_overdue", deliveries=len(overdue))
