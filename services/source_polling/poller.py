"""Wakes runs: those of the schedule, those that waited, and those that another replica left behind.

It sleeps until the earliest time it knows, by the monotonic clock, and never longer than `REST`: so a wall clock that
is set is noticed soon, and so is what other replicas opened.
"""

import asyncio
import contextlib
from datetime import datetime, timedelta

import structlog
from contactsync.call.v1.call_pb2 import CallContext
from typing_extensions import override

from libs.rpc import serve_item
from libs.telemetry import span
from services.source_polling.domain.run import Run, RunId
from services.source_polling.handler.poll import Poller
from services.source_polling.ports.surroundings import Alarm, Clock

REST = timedelta(seconds=15)
REST_AFTER_FAULT = timedelta(seconds=2)

log = structlog.get_logger()


class Bell(Alarm):
    """Wakes the scheduler at once."""

    def __init__(self) -> None:
        self.rung = asyncio.Event()

    @override
    def ring(self) -> None:
        self.rung.set()


class Scheduler:
    """Runs at most so many sources at once; one that is slow delays no other but by its place."""

    def __init__(self, poller: Poller, *, bell: Bell, clock: Clock, at_once: int) -> None:
        self._poller = poller
        self._bell = bell
        self._clock = clock
        self._at_once = at_once
        self._running: dict[RunId, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Work until cancelled; then what is under way is cancelled too, and goes on at the next start."""
        released = False
        try:
            while True:
                self._bell.rung.clear()
                try:
                    if not released:
                        await self._poller.let_go()
                        released = True
                    nap = await self._start_due()
                except Exception:  # whatever failed, it must not end the one loop that wakes runs
                    log.exception("due_runs_not_read")
                    nap = REST_AFTER_FAULT
                await self._sleep(nap)
        finally:
            await self._stop()

    async def _start_due(self) -> timedelta:
        next_plan = await self._poller.open_due()
        now, times = self._clock.now(), [] if next_plan is None else [next_plan]
        for run in await self._poller.open_runs():
            if run.run_id in self._running:
                continue
            if run.is_free(now) and len(self._running) < self._at_once:
                self._start(run)
            elif (due := _due(run)) is not None and due > now:
                times.append(due)
        return min((max(at - now, timedelta(0)) for at in times), default=REST)

    def _start(self, run: Run) -> None:
        task = asyncio.create_task(self._go_on(run), name=run.run_id)
        self._running[run.run_id] = task
        task.add_done_callback(lambda _: self._ended(run.run_id))

    async def _go_on(self, run: Run) -> None:
        with (
            serve_item(CallContext(correlation_id=run.run_id), "source_polling.Run"),
            span("source_polling.Run", source_id=run.source_id, run_id=run.run_id, correlation_id=run.run_id),
        ):
            await self._poller.go_on(run.run_id)

    def _ended(self, run_id: RunId) -> None:
        del self._running[run_id]
        self._bell.ring()

    async def _sleep(self, nap: timedelta) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(nap, REST).total_seconds()):
                await self._bell.rung.wait()

    async def _stop(self) -> None:
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        with contextlib.suppress(Exception):  # the leases lapse by themselves
            await self._poller.let_go()


def _due(run: Run) -> datetime | None:
    return (
        run.due_at
        if not run.holder or run.leased_until is None
        else max(run.due_at or run.leased_until, run.leased_until)
    )
