"""The use cases of the connect contacts API."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from services.directory.domain.connect.reading import Unfit, details_of_new, read_new
from services.directory.domain.contact import Contact, WorkspaceId
from services.directory.domain.errors import WorkspaceNotFoundError
from services.directory.domain.leads import NoWorkspace
from services.directory.domain.member import Member
from services.directory.domain.search import fold
from services.directory.domain.workspace import Workspace
from services.directory.handler.leads import Leads
from services.directory.ports import LeadSearch, MemberBook, WorkspaceBook
from services.directory.ports.phones import Phones


@dataclass(frozen=True, slots=True)
class Shown:
    """Contacts, and the workspace by which they are shown."""

    workspace: Workspace
    contacts: Sequence[Contact] = field(repr=False)


class Connect:
    """Contacts, lead statuses and users, as connect knows them."""

    def __init__(
        self, *, leads: Leads, search: LeadSearch, workspaces: WorkspaceBook, members: MemberBook, phones: Phones
    ) -> None:
        self._leads = leads
        self._search = search
        self._workspaces = workspaces
        self._members = members
        self._phones = phones

    async def contacts(self, workspace_id: WorkspaceId, query: str) -> AsyncIterator[Shown]:
        """Newest first, in pieces, of which there may be none. A blank query asks for all.

        A contact that is written meanwhile is told once at most, as it was or as it is. Raises WorkspaceNotFoundError.
        """
        workspace = await self.workspace(workspace_id)
        if "\0" in query:  # which no text holds, and not every database can be asked for
            return
        async for contacts in self._search.containing(workspace_id, fold(query.strip())):
            yield Shown(workspace, contacts)

    async def create(self, workspace_id: WorkspaceId, given: Mapping[str, object]) -> Shown | Unfit:
        """A new contact, also when another has its e-mail. Raises WorkspaceNotFoundError."""
        workspace = await self.workspace(workspace_id)
        new = read_new(given, workspace.lead_statuses)
        if isinstance(new, Unfit):
            return new
        numbers = await self._phones.read(new.phones, country=workspace.country)
        created = await self._leads.create(workspace_id, details_of_new(new, numbers))
        if isinstance(created, NoWorkspace):
            raise WorkspaceNotFoundError(workspace_id)
        return Shown(workspace, [created.contact])

    async def workspace(self, workspace_id: WorkspaceId) -> Workspace:
        """Raises WorkspaceNotFoundError."""
        workspace = await self._workspaces.get(workspace_id)
        if workspace is None:
            raise WorkspaceNotFoundError(workspace_id)
        return workspace

    async def user(self, workspace_id: WorkspaceId, email: str) -> Member | None:
        """Whose key it is; None for a key of nobody's in particular."""
        return await self._members.find(workspace_id, email) if email else None
