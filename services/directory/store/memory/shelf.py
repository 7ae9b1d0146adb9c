"""What the stores in memory share."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.directory.domain.action import Action, ActionId
from services.directory.domain.contact import Contact, ContactId, Identity, WorkspaceId
from services.directory.domain.credential import Credential, CredentialId
from services.directory.domain.defaults import first_workspace
from services.directory.domain.delivery import Claim
from services.directory.domain.leads import Turn
from services.directory.domain.member import Member
from services.directory.domain.workspace import FIRST_WORKSPACE, Workspace

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Span:
    """A contact had last changed at `changed_at` until `until`; `gone` since then, or changed again."""

    contact_id: ContactId
    created_at: datetime
    changed_at: datetime
    until: datetime
    gone: bool


class Shelf:
    """Contacts and workspaces, by their keys."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.contacts: dict[tuple[WorkspaceId, ContactId], Contact] = {}
        self.owners: dict[tuple[WorkspaceId, Identity], ContactId] = {}
        self.actions: dict[tuple[WorkspaceId, ActionId], Action] = {}
        self.spans: dict[WorkspaceId, list[Span]] = {}
        self.workspaces: dict[WorkspaceId, Workspace] = {FIRST_WORKSPACE: first_workspace()}
        self.members: dict[tuple[WorkspaceId, str], Member] = {}
        self.credentials: dict[CredentialId, Credential] = {}
        self._clock = clock
        self._last_at: dict[WorkspaceId, datetime] = {}
        self._numbers: Counter[WorkspaceId] = Counter()

    def take(self, workspace_id: WorkspaceId) -> Turn | None:
        """A turn, as the stores in a database take it."""
        workspace = self.workspaces.get(workspace_id)
        if workspace is None:
            return None
        now, last = self._clock(), self._last_at.get(workspace_id)
        at = now if last is None else max(now, last + _MICROSECOND)
        return Turn(at, self._numbers[workspace_id] + 1, workspace)

    def end(self, turn: Turn) -> None:
        """Its time was used."""
        self._last_at[turn.workspace.workspace_id] = turn.at

    def put(self, turn: Turn, contact: Contact) -> None:
        """A new contact, or what became of a known one."""
        workspace_id = turn.workspace.workspace_id
        self._remember(turn, contact.contact_id, gone=False)
        self.contacts[workspace_id, contact.contact_id] = contact
        self._numbers[workspace_id] = max(self._numbers[workspace_id], contact.number)

    def claim(self, workspace_id: WorkspaceId, claim: Claim) -> None:
        """Sharers are found by looking at the contacts themselves."""
        if claim.owner:
            self.owners[workspace_id, claim.identity] = claim.contact_id

    def release(self, workspace_id: WorkspaceId, identity: Identity, contact_id: ContactId) -> None:
        """If the contact owned it, nobody does."""
        if self.owners.get((workspace_id, identity)) == contact_id:
            del self.owners[workspace_id, identity]

    def remove(self, turn: Turn, contact: Contact) -> None:
        """The contact with its actions; its id and times stay."""
        workspace_id = turn.workspace.workspace_id
        self._remember(turn, contact.contact_id, gone=True)
        del self.contacts[workspace_id, contact.contact_id]
        for identity in contact.details.identities:
            self.release(workspace_id, identity, contact.contact_id)
        for key in [key for key, action in self.actions.items() if action.contact_id == contact.contact_id]:
            del self.actions[key]

    def live(self, workspace_id: WorkspaceId) -> Iterator[Contact]:
        """The workspace's contacts, in no order."""
        return (contact for (workspace, _), contact in self.contacts.items() if workspace == workspace_id)

    def _remember(self, turn: Turn, contact_id: ContactId, *, gone: bool) -> None:
        workspace_id = turn.workspace.workspace_id
        known = self.contacts.get((workspace_id, contact_id))
        if known is not None:
            span = Span(contact_id, known.created_at, known.changed_at, turn.at, gone)
            self.spans.setdefault(workspace_id, []).append(span)
