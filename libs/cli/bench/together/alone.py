"""A hub with nothing beside it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from libs.cli.bench.load import Sink, running_sink
from libs.cli.bench.targets import RunningHub, running_target


@asynccontextmanager
async def running_alone() -> AsyncIterator[tuple[RunningHub, Sink]]:
    """A hub on a temporary folder, and the sink that its client's contacts go to."""
    async with running_sink() as sink, AsyncExitStack() as stack:
        running = running_target(sink.url)
        hub = await asyncio.to_thread(running.__enter__)
        stack.push_async_callback(asyncio.to_thread, running.__exit__, None, None, None)
        yield hub, sink
