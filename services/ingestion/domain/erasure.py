"""Erasing one person's contacts, wherever they lie."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import NewType

from services.ingestion.domain.errors import Refused
from services.ingestion.domain.ids import ClientId, DestinationId, JobId

ErasureId = NewType("ErasureId", str)
Place = tuple[datetime, JobId]
"""A job in the order of their acceptance."""

BOOK = DestinationId("directory")
OPEN_AT_ONCE = 100
SETTLING_TIME = timedelta(minutes=15)
"""After this, what was under way to a destination when its row was erased is not under way any more."""


class Stage(IntEnum):
    """How far an erasure is; the numbers are those of the store."""

    SEARCHING = 1
    SETTLING = 2
    """The rows are erased. Chunks that may be under way with them are waited for, to erase the book once more."""
    COMPLETED = 3


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Person:
    """By what a person's contacts are found: any one of these will do. Never prints itself, for it is contact data.

    phones are in E.164 and as they were given; emails are case-folded.
    """

    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    external_ids: tuple[str, ...] = ()


NOBODY = Person()


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """An erasure; a completed one has counts only.

    everywhere: among every client's contacts, not only its own. place: the last job that was searched, newest first.
    """

    erasure_id: ErasureId
    client_id: ClientId
    everywhere: bool
    person: Person
    created_at: datetime
    stage: Stage = Stage.SEARCHING
    place: Place | None = None
    settles_until: datetime | None = None
    jobs: int = 0
    rows: int = 0
    sent_to_book: bool = False
    book_contacts: int = 0
    completed_at: datetime | None = None

    @property
    def reaches_book(self) -> bool:
        """A client may only take out of the shared book whom it has sent there."""
        return self.everywhere or self.sent_to_book


@dataclass(eq=False, repr=False, kw_only=True)
class ErasureNotFound(Refused):
    """There is no such erasure, or it is another client's: the two look alike."""

    reason: str = "NOT_FOUND"
    message: str = "Erasure not found"


def too_many_erasures() -> Refused:
    """The client has more erasures open than are worked on for it at once."""
    return Refused(
        reason="RATE_LIMIT_EXCEEDED",
        message=f"{OPEN_AT_ONCE} erasures are pending; wait for some to be completed",
        retry_after=timedelta(seconds=10),
    )
