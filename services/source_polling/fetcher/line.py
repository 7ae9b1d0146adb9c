"""The line to one source: one question at a time, at its rate, and what each answer means."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from libs.egress import Outlet, Reply, Unanswered, parse_retry_after
from services.source_polling.domain.source import Source
from services.source_polling.ports.fetching import Deferred, Failed

PAGE_BYTES = 32 * 1024 * 1024
_LONGEST_PATIENCE = timedelta(days=1)
_UNTOLD_PATIENCE = timedelta(seconds=5)
"""For a 429 that does not say how long."""
_HEADER_TEXT = re.compile(r"[\x20-\x7e]*", re.ASCII)


class Pace:
    """At most so many questions a second, evenly; 0: no bound."""

    def __init__(
        self,
        rate: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._gap = 1 / rate if rate > 0 else 0.0
        self._clock = clock
        self._sleep = sleep
        self._next_at = 0.0

    async def wait(self) -> None:
        """Return when the next question may be asked."""
        if not self._gap:
            return
        now = self._clock()
        wait, self._next_at = self._next_at - now, max(self._next_at, now) + self._gap
        if wait > 0:
            await self._sleep(wait)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every session has to do with the world."""

    outlet: Outlet
    now: Callable[[], datetime]
    page_bytes: int = PAGE_BYTES
    """A longer answer is refused."""


class Line:
    """Asks one source. A whole answer of 200 is given as it is, and one of a status in `takes`; all others are read."""

    def __init__(self, source: Source, surroundings: Surroundings, *, base: str | None = None) -> None:
        """`base`: below what paths are; the source's URL unless given."""
        self._base = (source.url if base is None else base).rstrip("/")
        self._retry = source.retry
        self._around = surroundings
        self._pace = Pace(source.rate)

    def now(self) -> datetime:
        """Give the time."""
        return self._around.now()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        takes: Collection[int] = (401,),
    ) -> Reply | Deferred | Failed:
        """Ask once."""
        if not all(map(_HEADER_TEXT.fullmatch, headers.values())):
            return Failed(reason="The credentials hold a character that no HTTP header can carry.", retryable=False)
        await self._pace.wait()
        reply = await self._around.outlet.ask(
            method,
            self._base + path,
            headers={"Accept": "application/json", **headers},
            body=body,
            timeout=self._retry.timeout,
            read_limit=self._around.page_bytes,
        )
        if isinstance(reply, Unanswered):
            return Failed(reason=reply.message.replace("receiver", "source"), retryable=True)
        return reply if reply.status in takes else self._judge(reply)

    def _judge(self, reply: Reply) -> Reply | Deferred | Failed:
        asked = parse_retry_after(reply.headers.get("Retry-After", ""), now=self.now())
        match reply.status:
            case 200:
                return reply if reply.whole else self._cut_off(reply)
            case 429:
                return _defer(reply.status, min(self._retry.max_delay, _UNTOLD_PATIENCE) if asked is None else asked)
            case 503 if asked is not None:
                return _defer(reply.status, asked)
            case status:
                return _fail(status)

    def _cut_off(self, reply: Reply) -> Failed:
        limit = self._around.page_bytes
        if len(reply.body) < limit:
            return Failed(reason="The answer was cut off, or packed in a way that was not asked for.", retryable=True)
        reason = (
            f"The answer is longer than {limit // 1024} KiB. A smaller page size helps, where the source has pages."
        )
        return Failed(reason=reason, retryable=False)


def _defer(status: int, retry_after: timedelta) -> Deferred:
    reason = f"The source answered {status}: it asks for patience."
    return Deferred(retry_after=min(retry_after, _LONGEST_PATIENCE), reason=reason)


def _fail(status: int) -> Failed:
    """Servers that fail may mend; what they refuse they will refuse again."""
    if 300 <= status < 400:
        reason = f"The source answered {status}, a redirect, which the hub does not follow. Give its final URL."
        return Failed(reason=reason, retryable=False)
    return Failed(reason=f"The source answered {status}.", retryable=status in {408, 425} or not 400 <= status < 500)


def answered_at(reply: Reply) -> datetime | None:
    """When the source says it answered. None: it does not tell, or not in a zone."""
    try:
        at = parsedate_to_datetime(reply.headers.get("Date", ""))
    except (ValueError, OverflowError):
        return None
    return at if at.tzinfo is not None else None
