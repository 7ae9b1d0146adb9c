"""Forgets expired keys, beside everything else."""

import asyncio
from datetime import timedelta

import structlog

from services.idempotency.handler import Idempotency

_log = structlog.get_logger()


async def purge_regularly(idempotency: Idempotency, *, every: timedelta) -> None:
    """Until cancelled. A failure is logged and the next round tries again: an expired key is free either way."""
    while True:
        await asyncio.sleep(every.total_seconds())
        try:
            forgotten = await idempotency.forget_expired()
        except Exception as error:  # noqa: BLE001  # whatever it is, the service goes on without the purge
            _log.warning("purge_failed", error=type(error).__name__)
            continue
        if forgotten:
            _log.info("expired_keys_forgotten", keys=forgotten)
