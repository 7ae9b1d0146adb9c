"""The use cases of single contacts, which the published APIs share."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from services.directory.domain.contact import Contact, ContactId, Details, Identity, WorkspaceId
from services.directory.domain.leads import Changed, Created, Exists, NoContact, NoWorkspace
from services.directory.domain.minting import ENTROPY_BYTES, open_mint
from services.directory.domain.workspace import Workspace
from services.directory.ports import ContactBook, Entropy, LeadWriter
from services.directory.ports.leads import Noting

R = TypeVar("R")


class Leads:
    """Contacts written one at a time."""

    def __init__(self, *, writer: LeadWriter, contacts: ContactBook, entropy: Entropy) -> None:
        self._writer = writer
        self._contacts = contacts
        self._entropy = entropy

    async def create(
        self,
        workspace_id: WorkspaceId,
        details: Details,
        *,
        unique: Identity | None = None,
        noting: Noting | None = None,
    ) -> Created | Exists | NoWorkspace:
        """As LeadWriter.create says; the id is made here."""
        entropy = self._entropy(ENTROPY_BYTES)

        def mint(at: datetime) -> ContactId:
            return open_mint(at, entropy).contact_id(0)

        return await self._writer.create(workspace_id, details, mint=mint, unique=unique, noting=noting)

    async def get(self, workspace_id: WorkspaceId, contact_id: ContactId) -> Contact | NoContact:
        """A contact of another workspace looks as if there were none."""
        return await self._contacts.get(workspace_id, contact_id) or NoContact.NO_CONTACT

    async def change(
        self, workspace_id: WorkspaceId, contact_id: ContactId, decide: Callable[[Contact, Workspace], Details | R]
    ) -> Changed | NoContact | R:
        """As LeadWriter.change says."""
        return await self._writer.change(workspace_id, contact_id, decide)

    async def delete(self, workspace_id: WorkspaceId, contact_id: ContactId) -> bool:
        """False when there was nothing to delete."""
        return await self._contacts.delete(workspace_id, contact_id)
