"""The book as a destination, in memory."""

from collections.abc import Sequence
from datetime import datetime

from services.directory.domain.contact import Contact, ContactId, Identity, WorkspaceId
from services.directory.domain.delivery import Applied, Decision, Delivery, DeliveryId, Known
from services.directory.domain.leads import NoWorkspace, Turn
from services.directory.domain.search import Filter
from services.directory.ports import Decide
from services.directory.store.memory.shelf import Shelf


class MemoryBook:
    """DeliveryBook, ContactBook and ContactCount."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._applied: dict[DeliveryId, tuple[Applied, datetime]] = {}

    async def apply(self, delivery: Delivery, decide: Decide) -> Applied | NoWorkspace:
        if delivery.delivery_id not in self._applied:
            turn = self._shelf.take(delivery.workspace_id)
            if turn is None:
                return NoWorkspace.NO_WORKSPACE
            decision = decide(self._known(delivery), turn)
            self._write(turn, decision)
            self._applied[delivery.delivery_id] = (decision.applied, decision.decided_at)
        return self._applied[delivery.delivery_id][0]

    async def forget_deliveries(self, applied_before: datetime) -> int:
        old = [delivery_id for delivery_id, (_, at) in self._applied.items() if at < applied_before]
        for delivery_id in old:
            del self._applied[delivery_id]
        return len(old)

    async def find(
        self, workspace_id: WorkspaceId, which: Filter, *, after: ContactId | None, limit: int
    ) -> list[Contact]:
        found = [
            contact
            for contact in self._shelf.live(workspace_id)
            if contact.contact_id > (after or "") and which.matches(contact.details)
        ]
        return sorted(found, key=lambda contact: contact.contact_id)[:limit]

    async def get(self, workspace_id: WorkspaceId, contact_id: ContactId) -> Contact | None:
        return self._shelf.contacts.get((workspace_id, contact_id))

    async def delete(self, workspace_id: WorkspaceId, contact_id: ContactId) -> bool:
        contact = self._shelf.contacts.get((workspace_id, contact_id))
        if contact is None:
            return False
        self._let_go(workspace_id, [contact])
        return True

    async def erase(self, workspace_id: WorkspaceId, identities: Sequence[Identity]) -> int:
        live = list(self._shelf.live(workspace_id))
        found = [contact for contact in live if not set(identities).isdisjoint(contact.details.identities)]
        self._let_go(workspace_id, found)
        return len(found)

    async def count(self, workspace_id: WorkspaceId) -> int:
        return sum(1 for _ in self._shelf.live(workspace_id))

    def _known(self, delivery: Delivery) -> Known:
        workspace, shelf = delivery.workspace_id, self._shelf
        owners = {
            identity: shelf.owners[workspace, identity]
            for identity in delivery.identities()
            if (workspace, identity) in shelf.owners
        }
        return Known(owners, {owner: shelf.contacts[workspace, owner] for owner in owners.values()})

    def _write(self, turn: Turn, decision: Decision) -> None:
        for contact in decision.deleted:
            self._shelf.remove(turn, contact)
        for contact in (*decision.created, *(after for _, after in decision.changed)):
            self._shelf.put(turn, contact)
        for identity, contact_id in decision.dropped:
            self._shelf.release(turn.workspace.workspace_id, identity, contact_id)
        for claim in decision.claims:
            self._shelf.claim(turn.workspace.workspace_id, claim)
        if decision.deleted or decision.created or decision.changed:
            self._shelf.end(turn)

    def _let_go(self, workspace_id: WorkspaceId, contacts: Sequence[Contact]) -> None:
        turn = self._shelf.take(workspace_id)
        if turn is None or not contacts:
            return
        for contact in contacts:
            self._shelf.remove(turn, contact)
        self._shelf.end(turn)
