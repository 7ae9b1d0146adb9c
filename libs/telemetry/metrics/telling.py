"""Opens the ways on which a process tells its numbers, and closes them."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import structlog

from libs.measures import Measures
from libs.telemetry.metrics.gathering import Gathered
from libs.telemetry.metrics.listening import Listener
from libs.telemetry.metrics.process import ProcessFacts

_log = structlog.get_logger("libs.telemetry")


@asynccontextmanager
async def telling(
    service: str, *measures: Measures, listen: str = "", otlp_endpoint: str | None = None, version: str | None = None
) -> AsyncIterator[int]:
    """Tell the numbers while the block runs; gives the port of `/metrics`, 0 where nobody listens.

    Prometheus reads them at `listen` (host:port; empty: not at all), with exemplars in OpenMetrics form; they are sent
    to `otlp_endpoint` every 15 s (None: not at all). What OpenTelemetry's SDK needs is imported with the first question
    or sending: a process whose numbers nobody reads does not hold it. A port that is taken is logged, and costs the
    numbers alone.
    """
    if not listen and not otlp_endpoint:
        yield 0
        return
    facts = ProcessFacts()
    gathered = Gathered(service, version, (*measures, facts.measures))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(_beside(facts.watch_loop()))
        if otlp_endpoint:
            from libs.telemetry.metrics.sending import send_always  # noqa: PLC0415 - imports the SDK and an exporter

            await stack.enter_async_context(_beside(send_always(gathered, otlp_endpoint)))
        yield await _open(stack, gathered, listen) if listen else 0


async def _open(stack: AsyncExitStack, gathered: Gathered, listen: str) -> int:
    listener = Listener(gathered)
    try:
        await listener.open(listen)
    except OSError as error:
        _log.error("metrics_not_served", listen=listen, error=error.strerror)
        return 0
    stack.push_async_callback(listener.close)
    return listener.port


@asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
