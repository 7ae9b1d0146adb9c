"""Wakes what is due: retries, what a resumed destination left waiting, and claims that lapsed.

It sleeps until the earliest of them. Only other processes' deliveries can become due unheard; for these it looks every
`REST`.
"""

import asyncio
import contextlib
from datetime import datetime, timedelta

import structlog
from typing_extensions import override

from libs.telemetry import span
from services.delivery.domain.destination import DestinationId
from services.delivery.domain.watch import Condition
from services.delivery.handler.deliver import Deliverer
from services.delivery.handler.watching import Watchdog
from services.delivery.ports import Alarm, Clock

REST = timedelta(seconds=30)
REST_AFTER_FAULT = timedelta(seconds=5)

log = structlog.get_logger()


class Bell(Alarm):
    """Tells the scheduler of earlier times than it knew."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rung = asyncio.Event()
        self._planned = clock.now()

    @override
    def ring(self, destination_id: DestinationId, *, at: datetime) -> None:
        if at < self._planned:
            self._planned = at
            self._rung.set()

    def plan(self, at: datetime) -> None:
        """Forget what was planned; rings from here on count against this time."""
        self._planned = at

    async def wait(self) -> None:
        """Return when the earliest time told has come."""
        while (left := (self._planned - self._clock.now()).total_seconds()) > 0:
            self._rung.clear()
            with contextlib.suppress(TimeoutError):
                # Not wait_for: that of Python 3.11 swallows a cancellation that comes together with a ring.
                async with asyncio.timeout(left):
                    await self._rung.wait()


class Watchman:
    """Wakes what is late, and logs a line when something that should not be begins and when it ends."""

    def __init__(self, watchdog: Watchdog) -> None:
        self._watchdog = watchdog
        self._known: set[Condition] = set()

    async def run(self) -> None:
        """Look every `REST` until cancelled."""
        while True:
            await asyncio.sleep(REST.total_seconds())
            await self.look()

    async def look(self) -> None:
        """Look once. A fault of the database is logged: whoever looks next may see more."""
        try:
            seen = await self._watchdog.heal()
        except Exception:  # whatever failed, it must not end the one loop that looks
            log.exception("watch_failed")
            return
        found = set(seen.conditions)
        late = seen.late
        for began in sorted(found - self._known):
            log.warning(
                "watchdog_began", condition=began, late=late.count, never_tried=late.never_tried, tickets=seen.tickets
            )
        for ended in sorted(self._known - found):
            log.info("watchdog_ended", condition=ended)
        self._known = found


class Scheduler:
    """Drains each destination on its own: one that does not answer delays no other."""

    def __init__(self, deliverer: Deliverer, *, bell: Bell, clock: Clock) -> None:
        self._deliverer = deliverer
        self._bell = bell
        self._clock = clock
        self._draining: dict[DestinationId, asyncio.Task[None]] = {}
        self._not_before: dict[DestinationId, datetime] = {}

    async def run(self) -> None:
        """Work until cancelled; then what is under way is cancelled too. A fault of the database is waited out."""
        try:
            while True:
                self._bell.plan(self._clock.now() + REST)
                await self._start_due()
                await self._bell.wait()
        finally:
            for drain in self._draining.values():
                drain.cancel()
            await asyncio.gather(*self._draining.values(), return_exceptions=True)

    async def _start_due(self) -> None:
        try:
            due = await self._deliverer.due()
        except Exception:  # whatever failed, it must not end the one loop that wakes retries
            log.exception("due_deliveries_not_read")
            self._bell.plan(self._clock.now() + REST_AFTER_FAULT)
            return
        for destination_id, due_at in due.items():
            if destination_id not in self._draining:
                self._start(destination_id, at=max(due_at, self._not_before.get(destination_id, due_at)))

    def _start(self, destination_id: DestinationId, *, at: datetime) -> None:
        if at > self._clock.now():
            self._bell.ring(destination_id, at=at)
            return
        drain = asyncio.create_task(self._drain(destination_id), name=f"drain {destination_id}")
        self._draining[destination_id] = drain
        drain.add_done_callback(lambda _: self._draining.pop(destination_id))

    async def _drain(self, destination_id: DestinationId) -> None:
        try:
            # A trace of its own: what is woken goes on in those of its requests, and links to this.
            with span("delivery.Wake", destination_id=destination_id):
                while await self._deliverer.wake(destination_id):
                    pass
        except Exception:  # logged and tried again after a rest: the rows are still due
            log.exception("wake_interrupted", destination_id=destination_id)
            self._not_before[destination_id] = self._clock.now() + REST_AFTER_FAULT
        # Not before the task is done, or the destination would still count as being drained.
        asyncio.get_running_loop().call_soon(self._look_again, destination_id)

    def _look_again(self, destination_id: DestinationId) -> None:
        self._bell.ring(destination_id, at=self._clock.now())
