"""A custom contact source (custom-contact-source.txt), full or delta, by page number."""

from dataclasses import replace
from datetime import datetime

from typing_extensions import override

from libs.egress import Reply
from services.source_polling.domain.source import Source
from services.source_polling.fetcher.custom_page import NoPage, Read, read_page
from services.source_polling.fetcher.line import Line, Surroundings, answered_at
from services.source_polling.fetcher.token import Token, Tokens
from services.source_polling.ports.fetching import Deferred, Failed, Page, PageCursor, Session


class CustomSession(Session):
    """One reading. A token serves all pages of it, and is renewed before it ends and once when a page is refused."""

    def __init__(self, source: Source, surroundings: Surroundings, *, since: datetime | None) -> None:
        self._line = Line(source, surroundings)
        self._tokens = Tokens(self._line, source.credentials)
        self._query = f"/contacts?limit={source.page_size}&page={{page}}"
        if since is not None:
            # Rounded down: what changed within that second may come twice, and is never left out.
            self._query = f"/contacts/delta?limit={source.page_size}&page={{page}}&timestamp={int(since.timestamp())}"
        self._delta = since is not None
        self._repeated = 0

    @override
    async def page(self, cursor: PageCursor) -> Page | Deferred | Failed:
        """Read the page once; cursors are page numbers."""
        fetched, self._repeated = self._tokens.fetched, 0
        outcome = await self._read(int(cursor or 1))
        return replace(outcome, tokens=self._tokens.fetched - fetched, retries=self._repeated)

    @override
    async def close(self) -> None:
        """Nothing is held."""

    async def _read(self, number: int) -> Page | Deferred | Failed:
        reply = await self._ask_for(number)
        if not isinstance(reply, Reply):
            return reply
        read = read_page(reply.body, delta=self._delta)
        if isinstance(read, NoPage):
            return Failed(reason=read.reason, retryable=True)
        return _page(read, number, reply)

    async def _ask_for(self, number: int) -> Reply | Deferred | Failed:
        reply = await self._ask_with(await self._tokens.current(), number)
        if isinstance(reply, Reply) and reply.status == 401:
            self._repeated = 1
            reply = await self._ask_with(await self._tokens.renew(), number)
            if isinstance(reply, Reply) and reply.status == 401:
                return Failed(
                    reason="The source refused a page twice, the second time with a new token.", retryable=False
                )
        return reply

    async def _ask_with(self, token: Token | Deferred | Failed, number: int) -> Reply | Deferred | Failed:
        if not isinstance(token, Token):
            return token
        return await self._line.ask("GET", self._query.format(page=number), headers={"Authorization": token.header})


def _page(read: Read, number: int, reply: Reply) -> Page:
    return Page(
        records=read.records,
        deleted=read.deleted,
        skipped=read.skipped,
        next=PageCursor(str(number + 1)) if read.has_more else None,
        fingerprint=read.fingerprint,
        size=len(reply.body),
        asked_at=answered_at(reply),
    )
