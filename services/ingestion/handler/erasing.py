import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from services.ingestion.domain.client import Client
from services.ingestion.domain.erasure import (
    NOBODY,
    OPEN_AT_ONCE,
    SETTLING_TIME,
    Erasure,
    ErasureId,
    ErasureNotFound,
    Person,
    Stage,
    too_many_erasures,
)
from services.ingestion.domain.ids import ClientId
from services.ingestion.domain.rows import Texts
from services.ingestion.ports.announcing import Changes
from services.ingestion.ports.erasing import Book, Eraser, Erasures, Tries
from services.ingestion.ports.peers import Normalizer
from services.ingestion.ports.time import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedErasure:
    """Whom to erase, as given; empty: not given."""

    client: Client
    everywhere: bool
    phone: str = field(repr=False)
    email: str = field(repr=False)
    external_id: str = field(repr=False)


class EraseContacts:
    """Erases persons, from the question to the tombstone. What was asked for is on disk, and goes on after a crash."""

    def __init__(
        self,
        *,
        erasures: Erasures,
        eraser: Eraser,
        normalizer: Normalizer,
        book: Book,
        tries: Tries,
        changes: Changes,
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        self._erasures = erasures
        self._eraser = eraser
        self._normalizer = normalizer
        self._book = book
        self._tries = tries
        self._changes = changes
        self._clock = clock
        self._new_id = new_id
        self.asked = asyncio.Event()
        """Set when there is something to advance."""

    async def ask(self, asked: AskedErasure) -> Erasure:
        """Begins the erasure, or gives the one that is open.

        Raises Refused with RATE_LIMIT_EXCEEDED or SERVICE_UNAVAILABLE.
        """
        erasure = Erasure(
            erasure_id=ErasureId(self._new_id()),
            client_id=asked.client.client_id,
            everywhere=asked.everywhere,
            person=await self._person(asked),
            created_at=self._clock(),
        )
        kept = await self._erasures.begin(erasure, limit=OPEN_AT_ONCE)
        if kept is None:
            raise too_many_erasures()
        self.asked.set()
        return kept

    async def _person(self, asked: AskedErasure) -> Person:
        """A phone that is no number finds the rejected rows that were given it."""
        texts = Texts([asked.phone] if asked.phone else [], [asked.email] if asked.email else [])
        normalized = await self._normalizer.normalize(texts, default_region=asked.client.default_region)
        return Person(
            phones=_each_once(*normalized.e164, asked.phone),
            emails=_each_once(*(email.casefold() for email in (*normalized.emails, asked.email))),
            external_ids=_each_once(asked.external_id),
        )

    async def get(self, erasure_id: ErasureId, *, viewer: ClientId | None) -> Erasure:
        """The erasure; viewer None, an operator, sees all. Raises ErasureNotFound."""
        erasure = await self._erasures.find(erasure_id)
        if erasure is None or (viewer is not None and erasure.client_id != viewer):
            raise ErasureNotFound
        return erasure

    async def unfinished(self) -> Sequence[Erasure]:
        """The erasures to be advanced, oldest first."""
        return await self._erasures.unfinished()

    async def advance(self, erasure: Erasure) -> bool:
        """Takes it as far as it goes now; False: it must wait. Raises Unavailable when delivery or the book is away.

        A delivery that fetched its chunk before the row was erased may bring the person to the book after the book was
        erased, and get an answer that tells of the person. So both are erased once more when none is under way.
        """
        if erasure.stage is Stage.SEARCHING:
            erasure = await self._search(erasure)
            erasure = replace(erasure, stage=Stage.SETTLING, settles_until=self._clock() + SETTLING_TIME)
            # Asked before the book is erased: what arrives there behind this is not settled now.
            settled = await self._eraser.is_settled(erasure)
        else:
            assert erasure.settles_until is not None
            settled = self._clock() >= erasure.settles_until or await self._eraser.is_settled(erasure)
            if not settled:
                return False
        if touched := await self._eraser.chunks(erasure):
            await self._tries.forget(touched)
        if erasure.reaches_book:
            erased = await self._book.erase(erasure.person)
            erasure = replace(erasure, book_contacts=erasure.book_contacts + erased)
        await self._eraser.keep(self._completed(erasure) if settled else erasure)
        return settled

    async def _search(self, erasure: Erasure) -> Erasure:
        while True:
            searched = await self._eraser.search(erasure, now=self._clock())
            self._changes.ring(searched.changed)
            erasure = searched.erasure
            if searched.done:
                return erasure

    def _completed(self, erasure: Erasure) -> Erasure:
        return replace(erasure, stage=Stage.COMPLETED, person=NOBODY, place=None, completed_at=self._clock())


def _each_once(*texts: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))
