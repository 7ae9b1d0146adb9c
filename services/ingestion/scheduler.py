"""Advances erasures, beside everything else."""

import asyncio
import contextlib
from datetime import timedelta

import structlog

from services.ingestion.domain.erasure import Erasure
from services.ingestion.handler.erasing import EraseContacts

log = structlog.get_logger()

RETRIED_AFTER = timedelta(seconds=1)


class ErasureScheduler:
    """Takes up erasures when one is asked for, when one waits, and at every interval those that nobody works on."""

    def __init__(self, erase: EraseContacts, *, interval: timedelta = timedelta(seconds=30)) -> None:
        self._erase = erase
        self._interval = interval.total_seconds()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._erase.asked.clear()
            done = await self._advance_all()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._interval if done else RETRIED_AFTER.total_seconds()):
                    await self._erase.asked.wait()

    async def _advance_all(self) -> bool:
        """One erasure's fault keeps no other waiting; False: some must be taken up again soon."""
        try:
            unfinished = await self._erase.unfinished()
            return all([await self._advance(erasure) for erasure in unfinished])
        except Exception as error:  # noqa: BLE001 - the erasures are on disk, and taken up again
            log.warning("erasures_not_read", error=type(error).__name__)
            return False

    async def _advance(self, erasure: Erasure) -> bool:
        try:
            completed = await self._erase.advance(erasure)
        except Exception as error:  # noqa: BLE001 - as above
            log.warning("erasure_interrupted", erasure_id=erasure.erasure_id, error=type(error).__name__)
            return False
        if completed:
            log.info("erasure_completed", erasure_id=erasure.erasure_id)
        return completed
