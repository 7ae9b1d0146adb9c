"""How much a server takes on at once, and which of its streams must end when it stops."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from libs.rpc.refusal import Refusal

STREAMS_SHARE = 4
KEPT_SHARE = 4
"""One part in so many of the places is kept for calls that no partner made."""


def unavailable() -> Refusal:
    """The server cannot take this call now; another, or this one in a second, may."""
    return Refusal(
        "SERVICE_UNAVAILABLE", "The service is too busy or about to stop; try again.", retry_after=timedelta(seconds=1)
    )


class Load:
    """Calls that run, and the bytes of what partners sent.

    Over a limit a call is refused at once, with the envelope that gRPC's own limit has not. Partners have a lower one:
    a flood of theirs must not keep out what other services tell of the work that was accepted.
    """

    def __init__(self, limit: int, *, bytes_limit: int | None = None) -> None:
        self._limit = limit
        self._bytes_limit = bytes_limit
        self._running = 0
        self._bytes = 0
        self._streams: set[asyncio.Task[Any]] = set()
        self._waiting: set[asyncio.Task[Any]] = set()
        self._era = 0
        self.stopping = False

    def enter(self, size: int, *, partner: bool = False) -> None:
        """Counts a call in, with so many bytes; refuses with SERVICE_UNAVAILABLE over a limit.

        A partner's, however large, is let in while no other has any bytes.
        """
        if self._running >= self._limit or (partner and self._is_too_much(size)):
            raise unavailable()
        self._running += 1
        self._bytes += size

    def leave(self, size: int) -> None:
        """Counts a call out, with as many bytes as it came in with."""
        self._running -= 1
        self._bytes -= size

    def _is_too_much(self, size: int) -> bool:
        if self._running >= self._limit - self._limit // KEPT_SHARE:
            return True
        return self._bytes_limit is not None and bool(self._bytes) and self._bytes + size > self._bytes_limit

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

    async def between_calls(self, messages: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The messages of the current task's stream. The one that it is at is the last once streams are let go."""
        task, era = asyncio.current_task(), self._era
        assert task is not None
        while era == self._era and not self.stopping:
            self._waiting.add(task)
            try:
                message = await anext(messages)
            except StopAsyncIteration:
                return
            except asyncio.CancelledError:
                if era == self._era:
                    raise
                return
            finally:
                self._waiting.discard(task)
            yield message

    def let_streams_go(self) -> None:
        """Ends those that carry calls, between two of them: their callers open others, where the service is well."""
        self._era += 1
        for task in self._waiting:
            task.cancel()

    def end_streams(self) -> None:
        """Ends the streams that run, and those that carry calls after the one that each is at."""
        self.stopping = True
        self.let_streams_go()
        for task in self._streams:
            task.cancel()
