"""How much a server takes on at once, and which of its streams must end when it stops."""

import asyncio
from datetime import timedelta
from typing import Any

from libs.rpc.refusal import Refusal

STREAMS_SHARE = 4


def unavailable() -> Refusal:
    """The server cannot take this call now; another, or this one in a second, may."""
    return Refusal(
        "SERVICE_UNAVAILABLE", "The service is too busy or about to stop; try again.", retry_after=timedelta(seconds=1)
    )


class Load:
    """Calls that run. Over the limit a call is refused at once, with the envelope that gRPC's own limit has not."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._running = 0
        self._streams: set[asyncio.Task[Any]] = set()
        self.stopping = False

    def enter(self) -> None:
        """Counts a call in; refuses with SERVICE_UNAVAILABLE over the limit."""
        if self._running >= self._limit:
            raise unavailable()
        self._running += 1

    def leave(self) -> None:
        """Counts a call out."""
        self._running -= 1

    def hold_stream(self) -> None:
        """Ends the current task's stream when the server stops: it might go on for as long as its job does.

        Refuses with SERVICE_UNAVAILABLE when a quarter of all calls are streams: they must not keep the others out.
        """
        if len(self._streams) >= max(1, self._limit // STREAMS_SHARE):
            raise unavailable()
        task = asyncio.current_task()
        assert task is not None
        self._streams.add(task)
        task.add_done_callback(self._streams.discard)

    def end_streams(self) -> None:
        """Ends the streams that run."""
        self.stopping = True
        for task in self._streams:
            task.cancel()
