"""A connect workspace as a source: one list, read whole, given out in pages by id."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime

from typing_extensions import override

from libs.egress import Reply
from services.source_polling.domain.record import Skip, SourceRecord
from services.source_polling.domain.source import Source
from services.source_polling.fetcher.connect_list import read_list
from services.source_polling.fetcher.document import fingerprint
from services.source_polling.fetcher.line import Line, Surroundings, answered_at
from services.source_polling.ports.fetching import Deferred, Failed, Page, PageCursor, Session

_PATH = "/api/connect"


@dataclass(frozen=True, slots=True, repr=False)
class _Whole:
    records: list[SourceRecord]
    skipped: tuple[Skip, ...]
    digest: bytes
    size: int
    at: datetime | None


class ConnectSession(Session):
    """One reading. The list is asked for once; a session that goes on elsewhere asks again, and gives what follows.

    Pages are cut by id, so that a contact that is made or deleted meanwhile moves no other out of them.
    """

    def __init__(self, source: Source, surroundings: Surroundings) -> None:
        self._line = Line(source, surroundings, base=base_url(source.url))
        self._headers = {"X-Api-Key": source.credentials.api_key}
        self._page_size = source.page_size
        self._whole: _Whole | None = None

    @override
    async def page(self, cursor: PageCursor) -> Page | Deferred | Failed:
        """Give the contacts whose ids follow the cursor, which is the last id of the page before."""
        whole = self._whole if self._whole is not None and cursor else await self._read()
        if not isinstance(whole, _Whole):
            return whole
        self._whole = whole
        return _cut(whole, cursor, self._page_size)

    @override
    async def close(self) -> None:
        """Let go of the list."""
        self._whole = None

    async def _read(self) -> _Whole | Deferred | Failed:
        reply = await self._line.ask("GET", "/contacts", headers=self._headers)
        if not isinstance(reply, Reply):
            return reply
        if reply.status == 401:
            return Failed(reason="The source refuses the API key.", retryable=False)
        read = read_list(reply.body)
        if read is None:
            return Failed(reason="The source answered 200 with something that is no list of contacts.", retryable=True)
        records, skipped = read
        return _Whole(records, tuple(skipped), fingerprint(reply.body), len(reply.body), answered_at(reply))


def base_url(url: str) -> str:
    """Below what the documented paths are; an operator may give the host, or any part of them."""
    base = url.rstrip("/").removesuffix("/contacts")
    return base if base.endswith(_PATH) else base + _PATH


def _cut(whole: _Whole, cursor: PageCursor, size: int) -> Page:
    start = bisect_right(whole.records, cursor, key=lambda record: PageCursor(record.external_id)) if cursor else 0
    records = tuple(whole.records[start : start + size])
    more = start + size < len(whole.records)
    return Page(
        records=records,
        skipped=() if cursor else whole.skipped,
        next=PageCursor(records[-1].external_id) if more else None,
        fingerprint=fingerprint(whole.digest + cursor.encode()),
        size=whole.size * len(records) // max(1, len(whole.records)),
        asked_at=whole.at,
    )
