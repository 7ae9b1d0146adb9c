"""Pages that are shown anew when they have changed: the same URL, asked for as a stream of events."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from libs.rpc import PeerRefused, PeerUnavailable
from services.console.visit import NotThere, View

MEDIA_TYPE = "text/event-stream"
_EVERY_SECONDS = 2.0
_QUIET_ROUNDS = 8
"""After so many rounds without news something is said, so that no proxy takes the stream for dead."""
_MOST_STREAMS = 64


class Look(Protocol):
    """Looks at the page's facts again."""

    def __call__(self, *, traced: bool) -> Awaitable[View]: ...  # noqa: D102 - told by the class


def wants_live(request: Request) -> bool:
    """Whether the page is asked for as a stream."""
    return MEDIA_TYPE in request.headers.get("accept", "")


class Live:
    """Streams pages, so many at once at most: each asks the services every 2 s while someone looks."""

    def __init__(self, *, stopping: asyncio.Event) -> None:
        self._stopping = stopping
        self._streams = 0

    def stream(self, look: Look, *, render: Callable[[View], str], is_live: Callable[[], bool]) -> Response:
        """Events `page` with the part that changes, until the session or the process ends (`ended`)."""
        if self._streams >= _MOST_STREAMS:
            return Response(status_code=204)  # which a browser does not ask again
        events = self._counted(_events(look, render, is_live, self._stopping))
        return StreamingResponse(events, media_type=MEDIA_TYPE, headers={"x-accel-buffering": "no"})

    async def _counted(self, events: AsyncIterator[str]) -> AsyncIterator[str]:
        self._streams += 1
        try:
            async for event in events:
                yield event
        finally:
            self._streams -= 1


async def _events(
    look: Look, render: Callable[[View], str], is_live: Callable[[], bool], stopping: asyncio.Event
) -> AsyncIterator[str]:
    shown, quiet = "", 0
    yield "retry: 3000\n\n"
    while not await _stops(stopping):
        page = await _look_again(look, render, shown) if is_live() else None
        if page is None:
            yield "event: ended\ndata:\n\n"
            return
        quiet = quiet + 1 if page == shown else 0
        if not quiet:
            shown = page
            yield _event(page)
        elif quiet % _QUIET_ROUNDS == 0:
            yield ": nothing new\n\n"


async def _look_again(look: Look, render: Callable[[View], str], shown: str) -> str | None:
    """The page as it is now, or as it was when that cannot be known: loaded again, it says why. None: the key ended."""
    try:
        return render(await look(traced=False))
    except PeerRefused as refused:
        return None if refused.reason == "UNAUTHORIZED" else shown
    except (PeerUnavailable, NotThere):
        return shown


async def _stops(stopping: asyncio.Event) -> bool:
    """Waits for the next round. True: there is none."""
    try:
        await asyncio.wait_for(stopping.wait(), _EVERY_SECONDS)
    except TimeoutError:
        return False
    return True


def _event(page: str) -> str:
    lines = "".join(f"data: {line}\n" for line in page.splitlines())
    return f"event: page\n{lines}\n"
