"""A telecrm workspace as a source: its leads, the newest first.

Leads that are made meanwhile would push the others down the pages, and leads that are deleted would pull them up and
past the reader. So a page is asked for by the time of creation at which the page before ended, where rows tell that,
and else by how many were read of those that were made before the reading began.
"""

from dataclasses import dataclass, replace
from urllib.parse import quote

import msgspec
from typing_extensions import override

from libs.egress import Reply
from services.source_polling.domain.source import Source
from services.source_polling.fetcher.document import fingerprint
from services.source_polling.fetcher.line import Line, Surroundings, answered_at
from services.source_polling.fetcher.telecrm_page import Leads, read_leads
from services.source_polling.ports.fetching import Deferred, Failed, Page, PageCursor, Session

MOST_PER_PAGE = 100


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: after `skip` of the leads that were made until `until` (milliseconds; None: of all)."""

    until: int | None
    skip: int
    read: int
    """Rows of all pages before."""

    def cursor(self) -> PageCursor:
        """Write it."""
        return PageCursor(f"{'' if self.until is None else self.until}/{self.skip}/{self.read}")

    @classmethod
    def of(cls, cursor: PageCursor) -> "Place":
        """Read what `cursor` wrote."""
        until, skip, read = cursor.split("/")
        return cls(int(until) if until else None, int(skip), int(read))

    def without_bound(self) -> "Place":
        """The same place for a workspace that does not search by time of creation."""
        return Place(None, self.read, self.read)


class TelecrmSession(Session):
    """One reading. A workspace that does not keep to the bound is read by plain skipping instead."""

    def __init__(self, source: Source, surroundings: Surroundings) -> None:
        self._line = Line(source, surroundings, base=base_url(source.url, source.credentials.enterprise_id))
        self._headers = {
            "Authorization": f"Bearer {source.credentials.token}",
            "Content-Type": "application/json",
        }
        self._limit = min(source.page_size, MOST_PER_PAGE)

    @override
    async def page(self, cursor: PageCursor) -> Page | Deferred | Failed:
        """Read the page that begins at the cursor."""
        place = Place.of(cursor) if cursor else Place(int(self._line.now().timestamp() * 1000), 0, 0)
        page = await self._read(place)
        if page is None:
            page = await self._read(place.without_bound())
            assert page is not None
            return replace(page, retries=1)
        return page

    @override
    async def close(self) -> None:
        """Nothing is held."""

    async def _read(self, place: Place) -> Page | Deferred | Failed | None:
        """None: the workspace does not keep to the bound."""
        reply = await self._ask(place)
        if not isinstance(reply, Reply):
            return reply
        if reply.status == 400:
            return None
        if reply.status == 401:
            return Failed(reason="The source refuses the token, or does not know the enterprise.", retryable=False)
        leads = read_leads(reply.body)
        if leads is None:
            return Failed(reason="The source answered 200 with something that is no page of leads.", retryable=True)
        if place.until is not None and any(at is not None and at > place.until for at in leads.created):
            return None
        return self._page(place, leads, reply)

    async def _ask(self, place: Place) -> Reply | Deferred | Failed:
        query = f"/lead/search?skip={place.skip}&limit={self._limit}"
        if place.until is None:
            return await self._line.ask("POST", query, headers=self._headers, body=b"{}")
        body = msgspec.json.encode({"fields": {"created_on": {"from": 0, "to": place.until}}})
        return await self._line.ask("POST", query, headers=self._headers, body=body, takes=(400, 401))

    def _page(self, place: Place, leads: Leads, reply: Reply) -> Page:
        more = _has_more(place, leads, self._limit)
        return Page(
            records=leads.records,
            skipped=leads.skipped,
            next=_next(place, leads).cursor() if more else None,
            fingerprint=fingerprint(reply.body + place.cursor().encode()),
            asked_at=answered_at(reply),
        )


def base_url(url: str, enterprise_id: str) -> str:
    """Below what the documented paths are; an operator may give it with the enterprise or without."""
    base, below = url.rstrip("/"), f"/enterprise/{quote(enterprise_id, safe='')}"
    return base if not enterprise_id or base.endswith(below) else base + below


def _has_more(place: Place, leads: Leads, limit: int) -> bool:
    rows = len(leads.created)
    if not rows:
        return False
    return rows >= limit if leads.total is None else place.skip + rows < leads.total


def _next(place: Place, leads: Leads) -> Place:
    rows = len(leads.created)
    last = leads.created[-1]
    if place.until is None or last is None or last == place.until or not _falls(leads.created):
        return Place(place.until, place.skip + rows, place.read + rows)
    return Place(last, leads.created.count(last), place.read + rows)


def _falls(created: tuple[int | None, ...]) -> bool:
    """Whether the rows come newest first, as documented."""
    times = [at for at in created if at is not None]
    return len(times) == len(created) and times == sorted(times, reverse=True)
