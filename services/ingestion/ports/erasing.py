from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.ingestion.domain.erasure import Erasure, ErasureId, Person
from services.ingestion.domain.ids import ChunkId, JobId


class ContactText(Protocol):
    """Contacts as they are written down."""

    def find(self, contacts: bytes, person: Person) -> Sequence[int]:
        """The positions of the person's contacts in a JSON array of contacts, ascending."""
        ...

    def blank(self, contacts: bytes, positions: Sequence[int]) -> bytes:
        """The array with nothing left of the contacts at these positions."""
        ...


@dataclass(frozen=True, slots=True)
class Searched:
    """The erasure after a step of its search; the jobs in which something was erased. done: no job is left."""

    erasure: Erasure
    changed: Sequence[JobId]
    done: bool


class Erasures(Protocol):
    """Erasures, as they go on."""

    async def begin(self, erasure: Erasure, *, limit: int) -> Erasure | None:
        """Keeps it, or gives the one that is open for the same client and person; None: `limit` are open."""
        ...

    async def find(self, erasure_id: ErasureId) -> Erasure | None:
        """The erasure."""
        ...

    async def unfinished(self) -> Sequence[Erasure]:
        """Those that are not completed, oldest first."""
        ...


class Eraser(Protocol):
    """Does the work on what ingestion keeps. Every step may be repeated."""

    async def search(self, erasure: Erasure, *, now: datetime) -> Searched:
        """Erases the person's rows from the next jobs, each job in one unit with its count.

        Rows that were not taken anywhere yet, or failed, end as rejected; all others keep their state.
        """
        ...

    async def is_settled(self, erasure: Erasure) -> bool:
        """No chunk that was not done when it was searched is still not done."""
        ...

    async def chunks(self, erasure: Erasure) -> Sequence[ChunkId]:
        """The chunks out of which it took rows, until it is completed."""
        ...

    async def keep(self, erasure: Erasure) -> None:
        """Keeps its stage and times, and its count in the book; a completed one forgets its person."""
        ...


class Book(Protocol):
    """The contact book. Raises Unavailable when it does not answer."""

    async def erase(self, person: Person) -> int:
        """Deletes the person's contacts; returns how many there were."""
        ...


class Tries(Protocol):
    """What destinations answered when chunks were sent to them. Raises Unavailable when delivery does not answer."""

    async def forget(self, chunk_ids: Sequence[ChunkId]) -> None:
        """Nothing of the answers about these chunks is kept from here on. May be repeated."""
        ...
