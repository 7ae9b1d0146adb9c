"""The use cases of a workspace's operator: single contacts changed by hand, by their id or their number."""

from collections.abc import Mapping

from services.directory.domain.changing import phone_given, with_values
from services.directory.domain.contact import Contact, ContactId, Details, WorkspaceId
from services.directory.domain.errors import ContactNotFoundError, IdentifierTakenError, WorkspaceNotFoundError
from services.directory.domain.identifying import identifier_value, lead_identity
from services.directory.domain.leads import Changed
from services.directory.domain.workspace import Workspace
from services.directory.handler.leads import Leads
from services.directory.ports import LeadLookup, WorkspaceBook
from services.directory.ports.phones import Phones

_LONGEST_NUMBER = 18


class Operating:
    """Contacts as an operator names them."""

    def __init__(self, *, leads: Leads, lookup: LeadLookup, workspaces: WorkspaceBook, phones: Phones) -> None:
        self._leads = leads
        self._lookup = lookup
        self._workspaces = workspaces
        self._phones = phones

    async def find(self, workspace_id: WorkspaceId, name: str) -> Contact:
        """By its id or its number. Raises ContactNotFoundError."""
        if name.isascii() and name.isdigit() and len(name) <= _LONGEST_NUMBER:
            found = await self._lookup.by_number(workspace_id, int(name))
        else:
            got = await self._leads.get(workspace_id, ContactId(name))
            found = got if isinstance(got, Contact) else None
        if found is None:
            raise ContactNotFoundError(ContactId(name))
        return found

    async def change(self, workspace_id: WorkspaceId, name: str, values: Mapping[str, str]) -> Contact:
        """Raises ContactNotFoundError, ValueRefusedError, IdentifierTakenError and WorkspaceNotFoundError."""
        workspace = await self._workspaces.get(workspace_id)
        if workspace is None:
            raise WorkspaceNotFoundError(workspace_id)
        contact = await self.find(workspace_id, name)
        given = phone_given(values, workspace)
        read = await self._phones.read([given] if given else [], country=workspace.country)
        phone = read.get(given, "")
        await self._refuse_taken(contact, with_values(contact.details, values, workspace, phone=phone), workspace)

        def decide(known: Contact, workspace: Workspace) -> Details:
            return with_values(known.details, values, workspace, phone=phone)

        changed = await self._leads.change(workspace_id, contact.contact_id, decide)
        if not isinstance(changed, Changed):
            raise ContactNotFoundError(contact.contact_id)
        return changed.contact

    async def delete(self, workspace_id: WorkspaceId, name: str) -> None:
        """Raises ContactNotFoundError, also when it was deleted before."""
        contact = await self.find(workspace_id, name)
        if not await self._leads.delete(workspace_id, contact.contact_id):
            raise ContactNotFoundError(contact.contact_id)

    async def _refuse_taken(self, contact: Contact, details: Details, workspace: Workspace) -> None:
        """Looked at before the change: two operators at once may both pass, and then the first keeps the identifier."""
        value = identifier_value(details, workspace)
        if not value or value == identifier_value(contact.details, workspace):
            return
        owner = await self._lookup.by_identity(workspace.workspace_id, lead_identity(workspace, value))
        if owner is not None and owner.contact_id != contact.contact_id:
            raise IdentifierTakenError
