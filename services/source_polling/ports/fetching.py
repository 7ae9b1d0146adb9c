"""Reading a source, page by page."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NewType, Protocol

from services.source_polling.domain.record import ExternalId, Skip, SourceRecord
from services.source_polling.domain.source import Source

PageCursor = NewType("PageCursor", str)
"""Names a page; the session's own language: a page number, a skip, the last id seen. It is kept over restarts, so a
session opened later with the same `since` must understand it."""

FIRST = PageCursor("")
"""The first page."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Page:
    """A page that was read. `records` and `deleted` are in the source's order."""

    records: tuple[SourceRecord, ...]
    deleted: tuple[ExternalId, ...] = ()
    """Ids that the source itself says are gone. What a whole reading does not hold is found out by the caller."""
    skipped: tuple[Skip, ...] = ()
    next: PageCursor | None
    """None: this was the last page."""
    fingerprint: bytes
    """Of what came (a digest of the body): two pages in a row with the same one mean that the source is stuck."""
    size: int = 0
    """Bytes that its contacts came in, roughly."""
    asked_at: datetime | None = None
    """The source's own time when it answered (its Date header). None: it does not tell."""
    tokens: int = 0
    """Tokens fetched for it."""
    retries: int = 0
    """Questions repeated for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """The source asks for patience (429, or 503 with Retry-After): not a failure. The reason holds no contact data."""

    retry_after: timedelta
    reason: str
    tokens: int = 0
    retries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """No page. The reason is a sentence for the operator, without contact data, secrets or the URL."""

    reason: str
    retryable: bool
    """True: the same question may succeed soon (5xx, no answer, a 200 that is not JSON). Whoever holds the session
    repeats it with back-off; the session itself repeats only what a new token mends (one 401)."""
    tokens: int = 0
    retries: int = field(default=0)


class Session(Protocol):
    """One reading of a source."""

    async def page(self, cursor: PageCursor) -> Page | Deferred | Failed:
        """Read the page once. The same cursor may be asked for again. Expected failures are returned, never raised."""
        ...

    async def close(self) -> None:
        """Let go of what the session holds."""
        ...


class Fetcher(Protocol):
    """The way to sources."""

    async def open(self, source: Source, *, since: datetime | None) -> Session:
        """Begin to read: everything (None), or what changed since then (only where the kind tells changes).

        Asks nothing yet.
        """
        ...
