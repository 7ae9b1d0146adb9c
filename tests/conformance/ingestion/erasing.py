"""Erasures over any store, with all that they reach in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from services.ingestion.domain.client import Client
from services.ingestion.domain.erasure import Erasure
from services.ingestion.domain.ids import JobId
from services.ingestion.domain.outcome import RowState
from services.ingestion.domain.row_view import RowView
from services.ingestion.handler.erasing import AskedErasure, EraseContacts
from services.ingestion.handler.following import RowQuery
from services.ingestion.peers.memory import MemoryBook, MemoryNormalizer, MemoryTries
from services.ingestion.store.erasing import SqlErasures
from services.ingestion.store.memory_erasing import MemoryErasures
from tests.unit.ingestion.world import World, client

PHONE = "89000000000"


@dataclass
class Erasing:
    world: World
    erasures: SqlErasures | MemoryErasures
    book: MemoryBook
    tries: MemoryTries
    handler: EraseContacts

    async def ask(
        self,
        phone: str = PHONE,
        *,
        by: Client | None = None,
        everywhere: bool = False,
        email: str = "",
        external: str = "",
    ) -> Erasure:
        asked = AskedErasure(
            client=by or client(), everywhere=everywhere, phone=phone, email=email, external_id=external
        )
        return await self.handler.ask(asked)

    async def work(self) -> Sequence[bool]:
        return [await self.handler.advance(each) for each in await self.handler.unfinished()]

    async def erased(self, phone: str = PHONE, **asked: object) -> Erasure:
        begun = await self.ask(phone, **asked)  # type: ignore[arg-type]  # handed on as it came
        await self.work()
        return await self.handler.get(begun.erasure_id, viewer=None)

    async def rows(self, job_id: JobId, state: RowState | None = None) -> Sequence[RowView]:
        return (await self.world.follow.rows(job_id, RowQuery(limit=1000, state=state), viewer=None)).rows

    @classmethod
    def of(cls, world: World, erasures: SqlErasures | MemoryErasures) -> Self:
        book, tries, ids = MemoryBook(), MemoryTries(), iter(f"erasure-{number}" for number in range(1000))
        handler = EraseContacts(
            erasures=erasures,
            eraser=erasures,
            normalizer=MemoryNormalizer(),
            book=book,
            tries=tries,
            changes=world.changes,
            clock=world.clock,
            new_id=lambda: next(ids),
        )
        return cls(world, erasures, book, tries, handler)
