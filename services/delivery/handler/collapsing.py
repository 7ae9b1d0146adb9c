"""What a destination that goes on is spared: older versions of contacts that waited for it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import structlog

from services.delivery.domain.delivery import Chunk, Delivery
from services.delivery.domain.destination import Destination
from services.delivery.domain.superseding import END, supersede, versions
from services.delivery.ports import Backlog, Chunks, Clock, Ledger, Outcomes

PAGE = 64
MOST_FINGERPRINTS = 100_000
"""Contacts that are compared at once, at some 150 bytes each. A backlog of more is gone through several times."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Collapsing:
    """What backlogs are collapsed with."""

    ledger: Ledger
    backlog: Backlog
    chunks: Chunks
    outcomes: Outcomes
    clock: Clock


class Collapser:
    """Takes older versions out of a backlog. To be done while nothing is sent to the destination.

    Interrupted anywhere it is simply done again: what was taken out is no longer there, and the newest version is.
    """

    def __init__(self, world: Collapsing, *, most: int = MOST_FINGERPRINTS) -> None:
        self._world = world
        self._most = most

    async def collapse(self, destination: Destination) -> None:
        """Return when of each contact that waits only the newest version does."""
        start, changed = 0, 0
        while start < END:
            newest, end = await self._gather(destination, start)
            changed += await self._take_out(destination, newest)
            start = end
        if changed:
            log.info("backlog_collapsed", destination_id=destination.destination_id, deliveries=changed)

    async def _gather(self, destination: Destination, start: int) -> tuple[dict[int, int], int]:
        """Give the newest version of each contact whose fingerprint is from `start` on, and where they end."""
        end, newest = END, dict[int, int]()
        async for delivery, chunk in self._waiting(destination):
            for each in versions(delivery, chunk, destination):
                if start <= each.fingerprint < end:
                    newest[each.fingerprint] = max(each.age, newest.get(each.fingerprint, 0))
            while len(newest) > self._most:
                end = (start + end) // 2
                newest = {fingerprint: age for fingerprint, age in newest.items() if fingerprint < end}
        return newest, end

    async def _take_out(self, destination: Destination, newest: dict[int, int]) -> int:
        changed = 0
        async for delivery, chunk in self._waiting(destination):
            left = supersede(delivery, chunk, destination, newest, now=self._world.clock.now())
            if left is None or not await self._world.ledger.exchange(delivery, left):
                continue
            changed += 1
            if left.is_final:
                await self._world.outcomes.report(left)
        return changed

    async def _waiting(self, destination: Destination) -> AsyncIterator[tuple[Delivery, Chunk]]:
        """Page by page: what is taken out meanwhile moves no other."""
        after: Delivery | None = None
        while page := await self._world.backlog.page(destination.destination_id, after=after, limit=PAGE):
            chunks = await asyncio.gather(*(self._world.chunks.fetch(each.ref.key.chunk_id) for each in page))
            for delivery, chunk in zip(page, chunks, strict=True):
                if chunk is not None:
                    yield delivery, chunk
            after = page[-1]
