"""The use cases of the book as a destination, and of its operator."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from services.directory.domain.applying import decide
from services.directory.domain.contact import Contact, ContactId, Identity, WorkspaceId
from services.directory.domain.delivery import Applied, Decision, Delivery, Known
from services.directory.domain.errors import ContactNotFoundError
from services.directory.domain.fields import FieldType
from services.directory.domain.identifying import identified_given
from services.directory.domain.leads import NoWorkspace, Turn
from services.directory.domain.minting import ENTROPY_BYTES, open_mint
from services.directory.domain.search import Filter
from services.directory.domain.workspace import Workspace
from services.directory.ports import Clock, ContactBook, ContactCount, DeliveryBook, Entropy, WorkspaceBook


@dataclass(frozen=True, slots=True)
class Page:
    """A page of contacts; `more` says whether there is another behind it. `total` counts the whole book."""

    contacts: list[Contact] = field(repr=False)
    more: bool
    total: int


class Directory:
    """The contact book."""

    def __init__(
        self,
        *,
        deliveries: DeliveryBook,
        contacts: ContactBook,
        count: ContactCount,
        workspaces: WorkspaceBook,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._deliveries = deliveries
        self._contacts = contacts
        self._count = count
        self._clock = clock
        self._entropy = entropy
        self._workspaces = workspaces
        # Only the identifier is read of these, and that never changes; a workspace is never deleted.
        self._known: dict[WorkspaceId, Workspace] = {}

    async def apply(self, delivery: Delivery) -> Applied | NoWorkspace:
        """Applies a delivery once: a repeat changes nothing and gives the first result."""
        entropy = self._entropy(ENTROPY_BYTES)
        identified = await self._identified(delivery)
        if identified is None:
            return NoWorkspace.NO_WORKSPACE

        def decided(known: Known, turn: Turn) -> Decision:
            return decide(identified.contacts, known, mint=open_mint(turn.at, entropy), turn=turn)

        return await self._deliveries.apply(identified, decided)

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
        if not await self._contacts.delete(workspace_id, contact_id):
            raise ContactNotFoundError(contact_id)

    async def erase(self, identities: Sequence[Identity]) -> int:
        """Deletes every contact of every workspace that has one of these; returns how many."""
        erased = 0
        for workspace in await self._workspaces.list():
            erased += await self._contacts.erase(workspace.workspace_id, identities)
        return erased

    async def _identified(self, delivery: Delivery) -> Delivery | None:
        """Where another field than the phone tells leads apart, its value is one of the contact's identities."""
        workspace = self._known.get(delivery.workspace_id) or await self._workspaces.get(delivery.workspace_id)
        if workspace is None:
            return None
        self._known[delivery.workspace_id] = workspace
        if workspace.identifier_field.type is FieldType.PHONE:
            return delivery
        return replace(delivery, contacts=[identified_given(each, workspace) for each in delivery.contacts])

    async def forget_deliveries(self, *, older_than: timedelta) -> int:
        """Makes room: deliveries of that age are not repeated any more. Returns how many were dropped."""
        return await self._deliveries.forget_deliveries(self._clock() - older_than)
