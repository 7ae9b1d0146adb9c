"""The book in memory: for tests and for trying things out; gone with the process."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from services.directory.domain.contact import Contact, ContactId, Identity, WorkspaceId
from services.directory.domain.delivery import Applied, Decision, Delivery, DeliveryId, Known
from services.directory.domain.search import Filter
from services.directory.ports import Decide


class MemoryBook:
    """All ports of the book. What it does takes no turn of the event loop, so nothing comes in between."""

    def __init__(self) -> None:
        self._applied: dict[DeliveryId, tuple[Applied, datetime]] = {}
        self._contacts: dict[tuple[WorkspaceId, ContactId], Contact] = {}
        self._owners: dict[tuple[WorkspaceId, Identity], ContactId] = {}
        self._sizes: Counter[WorkspaceId] = Counter()

    async def apply(self, delivery: Delivery, decide: Decide) -> Applied:
        """As the port says."""
        if delivery.delivery_id not in self._applied:
            decision = decide(self._known(delivery))
            self._write(delivery.workspace_id, decision)
            self._applied[delivery.delivery_id] = (decision.applied, decision.decided_at)
        return self._applied[delivery.delivery_id][0]

    async def forget_deliveries(self, applied_before: datetime) -> int:
        """As the port says."""
        old = [delivery_id for delivery_id, (_, at) in self._applied.items() if at < applied_before]
        for delivery_id in old:
            del self._applied[delivery_id]
        return len(old)

    async def find(
        self, workspace_id: WorkspaceId, which: Filter, *, after: ContactId | None, limit: int
    ) -> list[Contact]:
        """As the port says."""
        found = [
            contact
            for (workspace, contact_id), contact in self._contacts.items()
            if workspace == workspace_id and contact_id > (after or "") and which.matches(contact.details)
        ]
        return sorted(found, key=lambda contact: contact.contact_id)[:limit]

    async def get(self, workspace_id: WorkspaceId, contact_id: ContactId) -> Contact | None:
        """As the port says."""
        return self._contacts.get((workspace_id, contact_id))

    async def delete(self, workspace_id: WorkspaceId, contact_id: ContactId, *, now: datetime) -> bool:  # noqa: ARG002 - it keeps no tombstones
        """As the port says, but nothing at all is left."""
        contact = self._contacts.get((workspace_id, contact_id))
        if contact is None:
            return False
        self._remove(workspace_id, contact)
        return True

    async def erase(self, workspace_id: WorkspaceId, identities: Sequence[Identity], *, now: datetime) -> int:  # noqa: ARG002 - it keeps no tombstones
        """As the port says, but nothing at all is left."""
        found = [
            contact
            for (workspace, _), contact in self._contacts.items()
            if workspace == workspace_id and not set(identities).isdisjoint(contact.details.identities)
        ]
        for contact in found:
            self._remove(workspace_id, contact)
        return len(found)

    async def count(self, workspace_id: WorkspaceId) -> int:
        """As the port says."""
        return self._sizes[workspace_id]

    def _known(self, delivery: Delivery) -> Known:
        workspace = delivery.workspace_id
        owners = {
            identity: self._owners[workspace, identity]
            for identity in delivery.identities()
            if (workspace, identity) in self._owners
        }
        return Known(owners, {owner: self._contacts[workspace, owner] for owner in owners.values()})

    def _write(self, workspace: WorkspaceId, decision: Decision) -> None:
        for contact in decision.deleted:
            self._remove(workspace, contact)
        for contact in (*decision.created, *decision.changed):
            self._contacts[workspace, contact.contact_id] = contact
        for claim in decision.claims:
            if claim.owner:
                self._owners[workspace, claim.identity] = claim.contact_id
        self._sizes[workspace] += len(decision.created)

    def _remove(self, workspace: WorkspaceId, contact: Contact) -> None:
        del self._contacts[workspace, contact.contact_id]
        self._sizes[workspace] -= 1
        for identity in contact.details.identities:
            if self._owners.get((workspace, identity)) == contact.contact_id:
                del self._owners[workspace, identity]
