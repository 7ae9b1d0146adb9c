"""The use cases of the contact book."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from services.directory.domain.applying import decide
from services.directory.domain.contact import Contact, ContactId, Identity, WorkspaceId
from services.directory.domain.delivery import Applied, Decision, Delivery, Known
from services.directory.domain.errors import ContactNotFoundError
from services.directory.domain.minting import ENTROPY_BYTES, open_mint
from services.directory.domain.search import Filter
from services.directory.ports import Clock, ContactBook, ContactCount, DeliveryBook, Entropy


@dataclass(frozen=True, slots=True)
class Page:
    """A page of contacts; `more` says whether there is another behind it. `total` counts the whole book."""

    contacts: list[Contact] = field(repr=False)
    more: bool
    total: int


class Directory:
    """The contact book."""

    def __init__(
        self, *, deliveries: DeliveryBook, contacts: ContactBook, count: ContactCount, clock: Clock, entropy: Entropy
    ) -> None:
        self._deliveries = deliveries
        self._contacts = contacts
        self._count = count
        self._clock = clock
        self._entropy = entropy

    async def apply(self, delivery: Delivery) -> Applied:
        """Applies a delivery once: a repeat changes nothing and gives the first result."""
        now = self._clock()
        mint = open_mint(now, self._entropy(ENTROPY_BYTES))

        def decided(known: Known) -> Decision:
            return decide(delivery.contacts, known, mint=mint, now=now)

        return await self._deliveries.apply(delivery, decided)

    async def list(self, workspace_id: WorkspaceId, which: Filter, *, after: ContactId | None, size: int) -> Page:
        """Contacts by creation time, then id.

        A walk through the pages meets no contact twice, and all that are in the book from its begin to its end.
        """
        found = await self._contacts.find(workspace_id, which, after=after, limit=size + 1)
        total = await self._count.count(workspace_id)
        return Page(found[:size], len(found) > size, total)

    async def get(self, workspace_id: WorkspaceId, contact_id: ContactId) -> Contact:
        """Raises ContactNotFoundError."""
        contact = await self._contacts.get(workspace_id, contact_id)
        if contact is None:
            raise ContactNotFoundError(contact_id)
        return contact

    async def delete(self, workspace_id: WorkspaceId, contact_id: ContactId) -> None:
        """Raises ContactNotFoundError, also when it was deleted before."""
        if not await self._contacts.delete(workspace_id, contact_id, now=self._clock()):
            raise ContactNotFoundError(contact_id)

    async def erase(self, workspace_id: WorkspaceId, identities: Sequence[Identity]) -> int:
        """Deletes every contact that has one of these; returns how many."""
        return await self._contacts.erase(workspace_id, identities, now=self._clock())

    async def forget_deliveries(self, *, older_than: timedelta) -> int:
        """Makes room: deliveries of that age are not repeated any more. Returns how many were dropped."""
        return await self._deliveries.forget_deliveries(self._clock() - older_than)
