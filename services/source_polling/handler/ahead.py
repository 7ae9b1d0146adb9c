"""Fetches pages while others are imported: what has come by then is imported together, like one page.

Contacts are written down as soon as their page is read, while they are in the processor's cache.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain

from services.source_polling.domain.record import SourceRecord
from services.source_polling.domain.sifting import Draft
from services.source_polling.ports.fetching import Deferred, Failed, Page, PageCursor, Session

MOST_TOGETHER = 5000
"""Contacts: an import has a price of its own, so one of many is cheaper. Its job has more chunks."""
MOST_BYTES = 2 * 1024 * 1024
"""Of pages together, as they came: far less than a call takes."""
MOST_PAGES = 50

Object = Callable[[PageCursor, Page], str | None]
"""Says why reading must stop behind the page that was asked for so. None: it need not."""
Write = Callable[[SourceRecord], Draft]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An answer; of a page, how many it stands for, and why reading must stop behind it."""

    answer: Page | Deferred | Failed
    drafts: tuple[Draft, ...] = ()
    """Of a page its records, which are let go of."""
    pages: int = 1
    repeats: int = 0
    """Contacts that are on more than one of the pages, each time but once."""
    objection: str | None = None


class PagesAhead:
    """Asks for one page after the other, and holds as many as would go together."""

    def __init__(self, session: Session, cursor: PageCursor, objection: Object, *, write: Write) -> None:
        self._session = session
        self._objection = objection
        self._write = write
        self._waiting: deque[Found] = deque()
        self._came = asyncio.Event()
        self._room = asyncio.Event()
        self._fetching = asyncio.create_task(self._fetch(cursor), name="pages ahead")
        self._fetching.add_done_callback(lambda _: self._came.set())

    async def take(self) -> Found | None:
        """Give the next answer; of pages, all that are there and may go together. None: there are no more.

        Raises what asking raised, when everything before it was taken.
        """
        await self._came.wait()
        if not self._waiting:
            await self._fetching
            return None
        taken = [self._waiting.popleft()]
        while self._waiting and _fit([*taken, self._waiting[0]]):
            taken.append(self._waiting.popleft())
        if not self._waiting and not self._fetching.done():
            self._came.clear()
        self._room.set()
        return _merged(taken)

    async def close(self) -> None:
        """Let go of what was not taken."""
        self._fetching.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await self._fetching

    async def _fetch(self, cursor: PageCursor | None) -> None:
        while cursor is not None:
            answer = await self._session.page(cursor)
            objection = self._objection(cursor, answer) if isinstance(answer, Page) else None
            cursor = answer.next if isinstance(answer, Page) and not objection else None
            self._waiting.append(self._found(answer, objection))
            del answer  # its records, too, while the next are fetched
            self._came.set()
            while not _fit(tuple(self._waiting)):
                self._room.clear()
                await self._room.wait()

    def _found(self, answer: Page | Deferred | Failed, objection: str | None) -> Found:
        if not isinstance(answer, Page):
            return Found(answer=answer)
        drafts = tuple(map(self._write, answer.records))
        return Found(answer=replace(answer, records=()), drafts=drafts, objection=objection)


def _fit(found: Sequence[Found]) -> bool:
    """Pages with deletes go alone: what is deleted on one and comes again on another depends on their order."""
    pages = [each.answer for each in found if isinstance(each.answer, Page) and not each.answer.deleted]
    if len(pages) < len(found) or len(found) > MOST_PAGES:
        return False
    contacts = sum(len(each.drafts) for each in found) + sum(len(page.skipped) for page in pages)
    return len(pages) == 1 or (contacts <= MOST_TOGETHER and sum(page.size for page in pages) <= MOST_BYTES)


def _merged(taken: Sequence[Found]) -> Found:
    """The pages as one, which goes on behind the last."""
    pages = [each.answer for each in taken if isinstance(each.answer, Page)]
    if len(pages) < 2:
        return taken[0]
    whole = replace(
        pages[-1],
        skipped=tuple(chain.from_iterable(page.skipped for page in pages)),
        asked_at=pages[0].asked_at,
        tokens=sum(page.tokens for page in pages),
        retries=sum(page.retries for page in pages),
    )
    ids = [{draft.external_id for draft in found.drafts} for found in taken]
    return Found(
        answer=whole,
        drafts=tuple(chain.from_iterable(found.drafts for found in taken)),
        pages=len(pages),
        repeats=sum(map(len, ids)) - len(set().union(*ids)),
        objection=taken[-1].objection,
    )
