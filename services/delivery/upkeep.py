"""What goes on beside delivering: replays step by step, and answers of old tries that are forgotten."""

import asyncio
import contextlib
from datetime import datetime, timedelta

import structlog

from services.delivery.handler.operate import ReplayDesk
from services.delivery.ports import Clock
from services.delivery.ports.operating import Errors

QUICK = timedelta(milliseconds=100)
SLOW = timedelta(seconds=2)
"""How soon replays that run are looked at again: at first quickly, then the slower the longer nothing happens."""
IDLE = timedelta(seconds=30)
"""How soon a replay is noticed that another process began and did not live to end."""
FORGETTING = timedelta(hours=1)

log = structlog.get_logger()


class WakeUp:
    """Tells that there is something to do."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def __call__(self) -> None:
        """Ring."""
        self._rung.set()

    async def wait(self, most: timedelta) -> None:
        """Return when it was rung, or after that time."""
        with contextlib.suppress(TimeoutError):
            # Not wait_for: that of Python 3.11 swallows a cancellation that comes together with a ring.
            async with asyncio.timeout(most.total_seconds()):
                await self._rung.wait()
        self._rung.clear()


class Upkeep:
    """One loop; a fault in it is logged and waited out."""

    def __init__(self, replays: ReplayDesk, *, errors: Errors, wake_up: WakeUp, clock: Clock, keep: timedelta) -> None:
        """`keep` is how long what came back from a try is kept."""
        self._replays = replays
        self._errors = errors
        self._wake_up = wake_up
        self._clock = clock
        self._keep = keep
        self._forget_at: datetime | None = None

    async def run(self) -> None:
        """Work until cancelled."""
        pause = QUICK
        while True:
            pause = await self._step(pause)
            await self._wake_up.wait(pause)

    async def _step(self, pause: timedelta) -> timedelta:
        """Give how long to rest then."""
        try:
            await self._forget()
            busy, moved = await self._replays.advance()
        except Exception as error:  # noqa: BLE001 - whatever failed, it must not end the one loop; ingestion may be away
            log.warning("upkeep_interrupted", error=type(error).__name__)
            return SLOW
        if not busy:
            return IDLE
        return QUICK if moved else min(pause * 2, SLOW)

    async def _forget(self) -> None:
        now = self._clock.now()
        if self._forget_at is None or now >= self._forget_at:
            self._forget_at = now + FORGETTING
            await self._errors.forget_answers(before=now - self._keep)
