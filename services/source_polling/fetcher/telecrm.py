"""A telecrm workspace as a source: its leads, the newest first.

Leads that are made meanwhile would push the others down the pages, and leads that are deleted would pull them up and
past the reader. So only those are read that were made before the reading began, and a page is asked for by the time of
creation at which the page before ended. Where rows do not tell that, it is asked for by how many were read.
"""

from dataclasses import replace
from urllib.parse import quote

import msgspec
from typing_extensions import override

from libs.egress import Reply
from services.source_polling.domain.record import Skip, SourceRecord
from services.source_polling.domain.source import Source
from services.source_polling.fetcher.document import fingerprint
from services.source_polling.fetcher.line import Line, Surroundings, answered_at
from services.source_polling.fetcher.telecrm_page import Leads, read_leads
from services.source_polling.ports.fetching import Deferred, Failed, Page, PageCursor, Session

MOST_PER_PAGE = 100


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a page begins: after `skip` of the leads that were made until `until` (milliseconds; None: of all)."""

    until: int | None
    skip: int = 0
    read: int = 0
    """Rows of all pages before."""
    known: tuple[str, ...] = ()
    """Ids of those that were read already although they are on this page: they were made at `until`."""

    def cursor(self) -> PageCursor:
        """Write it."""
        return PageCursor(msgspec.json.encode(self).decode())

    @classmethod
    def of(cls, cursor: PageCursor) -> "Place":
        """Read what `cursor` wrote."""
        return msgspec.json.decode(cursor, type=cls)

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
        place = Place.of(cursor) if cursor else Place(int(self._line.now().timestamp() * 1000))
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
        if _is_unbound(place, leads):
            return None
        return self._page(place, leads, reply)

    async def _ask(self, place: Place) -> Reply | Deferred | Failed:
        query = f"/lead/search?skip={place.skip}&limit={self._limit_at(place)}"
        if place.until is None:
            return await self._line.ask("POST", query, headers=self._headers, body=b"{}")
        body = msgspec.json.encode({"fields": {"created_on": {"from": 0, "to": place.until}}})
        return await self._line.ask("POST", query, headers=self._headers, body=body, takes=(400, 401))

    def _limit_at(self, place: Place) -> int:
        return min(self._limit + len(place.known), MOST_PER_PAGE)

    def _page(self, place: Place, leads: Leads, reply: Reply) -> Page:
        new = [lead.read for lead in leads.rows if lead.read.external_id not in place.known]
        return Page(
            records=tuple(each for each in new if isinstance(each, SourceRecord)),
            skipped=tuple(each for each in new if isinstance(each, Skip)),
            next=_next(place, leads, new=len(new)).cursor() if self._has_more(place, leads) else None,
            fingerprint=fingerprint(reply.body + place.cursor().encode()),
            size=len(reply.body),
            asked_at=answered_at(reply),
        )

    def _has_more(self, place: Place, leads: Leads) -> bool:
        if not leads.rows:
            return False
        if leads.total is None:
            return len(leads.rows) >= self._limit_at(place)
        return place.skip + len(leads.rows) < leads.total


def base_url(url: str, enterprise_id: str) -> str:
    """Below what the documented paths are; an operator may give it with the enterprise or without."""
    base, below = url.rstrip("/"), f"/enterprise/{quote(enterprise_id, safe='')}"
    return base if not enterprise_id or base.endswith(below) else base + below


def _is_unbound(place: Place, leads: Leads) -> bool:
    """Whether the answer shows that the workspace does not search by time: a later lead, or none at the very start."""
    if place.until is None:
        return False
    later = any(lead.created is not None and lead.created > place.until for lead in leads.rows)
    return later or not (place.read or leads.rows)


def _next(place: Place, leads: Leads, *, new: int) -> Place:
    last, read = leads.rows[-1].created, place.read + new
    if place.until is None or last is None or last == place.until or not _falls(leads):
        return Place(place.until, place.skip + len(leads.rows), read)
    return Place(last, 0, read, tuple(lead.read.external_id for lead in leads.rows if lead.created == last))


def _falls(leads: Leads) -> bool:
    """Whether the rows come newest first, as documented."""
    times = [lead.created for lead in leads.rows if lead.created is not None]
    return len(times) == len(leads.rows) and times == sorted(times, reverse=True)
