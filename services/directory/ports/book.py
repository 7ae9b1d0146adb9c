"""What the book needs of the world: deliveries in, contacts out."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from services.directory.domain.contact import Contact, ContactId, Identity, WorkspaceId
from services.directory.domain.delivery import Applied, Decision, Delivery, Known
from services.directory.domain.leads import NoWorkspace, Turn
from services.directory.domain.search import Filter

Decide = Callable[[Known, Turn], Decision]


class Clock(Protocol):
    """Tells the time."""

    def __call__(self) -> datetime:
        """Now, zoned."""
        ...


class Entropy(Protocol):
    """Gives random bytes that no one can foresee."""

    def __call__(self, size: int, /) -> bytes:
        """`size` of them."""
        ...


class DeliveryBook(Protocol):
    """Takes deliveries."""

    async def apply(self, delivery: Delivery, decide: Decide) -> Applied | NoWorkspace:
        """Writes what `decide` says of what is known, in one unit, on disk when it returns.

        A delivery applied before changes nothing and gives its first result. Deliveries that share an identity are
        applied one after the other, whatever the database. `decide` may be called again when a unit is retried.
        """
        ...

    async def forget_deliveries(self, applied_before: datetime) -> int:
        """Drops what makes those deliveries harmless to repeat; returns how many."""
        ...


class ContactBook(Protocol):
    """Shows live contacts and lets go of them."""

    async def find(
        self, workspace_id: WorkspaceId, which: Filter, *, after: ContactId | None, limit: int
    ) -> list[Contact]:
        """The first `limit` behind `after`, by creation time, then id."""
        ...

    async def get(self, workspace_id: WorkspaceId, contact_id: ContactId) -> Contact | None:
        """None when there is none, or it was deleted."""
        ...

    async def delete(self, workspace_id: WorkspaceId, contact_id: ContactId) -> bool:
        """Leaves a tombstone without personal data; its actions go too. False when there was nothing to delete."""
        ...

    async def erase(self, workspace_id: WorkspaceId, identities: Sequence[Identity]) -> int:
        """Deletes, in one unit, every contact that has one of these, as its own or shared; returns how many."""
        ...


class ContactCount(Protocol):
    """Knows how large the book is."""

    async def count(self, workspace_id: WorkspaceId) -> int:
        """Live contacts, at a cost that does not grow with them."""
        ...
