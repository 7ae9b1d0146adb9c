"""Whether a service can do its work, told to health checks."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

_LOG = structlog.get_logger("libs.rpc")
_FIRST_SECONDS = 0.05
_EVERY_SECONDS = 5.0


class TellHealth(Protocol):
    """Takes the news."""

    async def __call__(self, *, serving: bool) -> None: ...  # noqa: D102 - told by the class


async def watch_readiness(ready: Callable[[], Awaitable[None]], tell: TellHealth) -> None:
    """Asks `ready` until cancelled: soon and then less often while it raises, every 5 s once it does not."""
    told: bool | None = None
    pause = _FIRST_SECONDS
    while True:
        serving = await _is_ready(ready)
        pause = _EVERY_SECONDS if serving else min(pause * 2, _EVERY_SECONDS)
        if serving is not told:
            told = serving
            await tell(serving=serving)
            _LOG.info("readiness_changed", serving=serving)
        await asyncio.sleep(pause)


async def _is_ready(ready: Callable[[], Awaitable[None]]) -> bool:
    try:
        await ready()
    except Exception as error:  # noqa: BLE001 - whatever it is, the service is not ready
        _LOG.debug("not_ready", error_type=type(error).__qualname__)
        return False
    return True
