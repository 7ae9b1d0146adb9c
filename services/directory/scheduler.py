"""Background work: the memory of old deliveries is let go of, so that it does not grow for ever."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog

from services.directory.handler import Directory

_log = structlog.get_logger()


@asynccontextmanager
async def forget_old_deliveries(
    directory: Directory, *, older_than: timedelta, every: timedelta
) -> AsyncIterator[None]:
    """Now and then `every` so often, while the context is open."""
    task = asyncio.create_task(_forget(directory, older_than, every))
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
