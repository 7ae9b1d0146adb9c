"""Background work: old deliveries are let go of, and letters of new contacts are posted."""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import structlog

from services.directory.handler import Directory
from services.directory.ports import Lettering

_log = structlog.get_logger()


@asynccontextmanager
async def forget_old_deliveries(
    directory: Directory, *, older_than: timedelta, every: timedelta
) -> AsyncIterator[None]:
    """Now and then `every` so often, while the context is open."""
    async with _running(_forget(directory, older_than, every)):
        yield


@asynccontextmanager
async def letter_contacts(lettering: Lettering, *, every: timedelta) -> AsyncIterator[None]:
    """Posts what waits, while the context is open; when nothing does it looks again after `every`."""
    async with _running(_letter(lettering, every)):
        yield


@asynccontextmanager
async def _running(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _forget(directory: Directory, older_than: timedelta, every: timedelta) -> None:
    while True:
        try:
            if forgotten := await directory.forget_deliveries(older_than=older_than):
                _log.info("old_deliveries_forgotten", deliveries=forgotten)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next round may do better, and nothing is lost
            _log.warning("old_deliveries_not_forgotten", error_type=type(error).__qualname__)
        await asyncio.sleep(every.total_seconds())


async def _letter(lettering: Lettering, every: timedelta) -> None:
    """It takes a third of the writer's time at most: an import that runs meanwhile goes first."""
    while True:
        began = time.monotonic()
        try:
            lettered = await lettering.letter_some()
        except Exception as error:  # noqa: BLE001 - as above
            _log.warning("letters_not_posted", error_type=type(error).__qualname__)
            lettered = 0
        await asyncio.sleep(2 * (time.monotonic() - began) if lettered else every.total_seconds())
