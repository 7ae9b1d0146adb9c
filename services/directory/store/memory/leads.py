"""Single contacts, searches, walks and actions, in memory."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from services.directory.domain.action import Action, ActionFilter, ActionId, ActionPage
from services.directory.domain.contact import Contact, ContactId, Details, Identity, WorkspaceId
from services.directory.domain.identifying import identified
from services.directory.domain.leads import (
    AnyOf,
    Changed,
    Created,
    DeltaPage,
    Exists,
    LeadPage,
    LeadQuery,
    NoContact,
    NoWorkspace,
    WalkPage,
)
from services.directory.domain.letters import contains
from services.directory.domain.rewriting import Rewriting, admit, rewritten
from services.directory.domain.terms import terms_of
from services.directory.domain.workspace import Workspace
from services.directory.ports.leads import Noting
from services.directory.store.memory.shelf import Shelf

R = TypeVar("R")


class MemoryLeads:
    """LeadWriter and LeadLookup."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def create(
        self,
        workspace_id: WorkspaceId,
        details: Details,
        *,
        mint: Callable[[datetime], ContactId],
        unique: Identity | None,
        noting: Noting | None = None,
    ) -> Created | Exists | NoWorkspace:
        shelf = self._shelf
        turn = shelf.take(workspace_id)
        if turn is None:
            return NoWorkspace.NO_WORKSPACE
        if unique is not None and (workspace_id, unique) in shelf.owners:
            return Exists(shelf.contacts[workspace_id, shelf.owners[workspace_id, unique]])
        whole = identified(details, turn.workspace)
        admitted = admit(whole, self._owners(workspace_id, whole), contact_id=mint(turn.at), turn=turn)
        shelf.put(turn, admitted.contact)
        self._settle(workspace_id, admitted)
        for action in noting(admitted.contact) if noting is not None else ():
            shelf.actions[workspace_id, action.action_id] = action
        shelf.end(turn)
        return Created(admitted.contact)

    async def change(
        self, workspace_id: WorkspaceId, contact_id: ContactId, decide: Callable[[Contact, Workspace], Details | R]
    ) -> Changed | NoContact | R:
        turn, contact = self._shelf.take(workspace_id), self._shelf.contacts.get((workspace_id, contact_id))
        if turn is None or contact is None:
            return NoContact.NO_CONTACT
        details = decide(contact, turn.workspace)
        if not isinstance(details, Details):
            return details
        whole = identified(details, turn.workspace)
        if whole == contact.details:
            return Changed(contact)
        change = rewritten(contact, whole, self._owners(workspace_id, whole), turn=turn)
        self._shelf.put(turn, change.contact)
        self._settle(workspace_id, change)
        self._shelf.end(turn)
        return Changed(change.contact)

    async def by_number(self, workspace_id: WorkspaceId, number: int) -> Contact | None:
        return next((each for each in self._shelf.live(workspace_id) if each.number == number), None)

    async def by_identity(self, workspace_id: WorkspaceId, identity: Identity) -> Contact | None:
        owner = self._shelf.owners.get((workspace_id, identity))
        return None if owner is None else self._shelf.contacts[workspace_id, owner]

    def _owners(self, workspace_id: WorkspaceId, details: Details) -> dict[Identity, ContactId]:
        owners = self._shelf.owners
        return {each: owners[workspace_id, each] for each in details.identities if (workspace_id, each) in owners}

    def _settle(self, workspace_id: WorkspaceId, change: Rewriting) -> None:
        for identity in change.dropped:
            self._shelf.release(workspace_id, identity, change.contact.contact_id)
        for claim in change.claims:
            self._shelf.claim(workspace_id, claim)


class MemorySearch:
    """LeadSearch and Lettering."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def search(self, workspace_id: WorkspaceId, query: LeadQuery) -> LeadPage:
        found = [contact for contact in self._newest(workspace_id) if self._matches(workspace_id, contact, query)]
        return LeadPage(found[query.skip : query.skip + query.limit], len(found))

    async def containing(self, workspace_id: WorkspaceId, text: str) -> AsyncIterator[Sequence[Contact]]:
        yield [each for each in self._newest(workspace_id) if contains(each.details, text)]

    async def letter_some(self) -> int:
        return 0

    def _newest(self, workspace_id: WorkspaceId) -> list[Contact]:
        return sorted(self._shelf.live(workspace_id), key=lambda contact: contact.number, reverse=True)

    def _matches(self, workspace_id: WorkspaceId, contact: Contact, query: LeadQuery) -> bool:
        workspace = self._shelf.workspaces[workspace_id]
        return (
            (query.created_from is None or contact.created_at >= query.created_from)
            and (query.created_to is None or contact.created_at <= query.created_to)
            and all(_holds(contact, workspace, group) for group in query.all_of)
            and (query.actions is None or self._acted(contact, query.actions))
        )

    def _acted(self, contact: Contact, which: ActionFilter) -> bool:
        actions = self._shelf.actions.values()
        return any(action.contact_id == contact.contact_id and which.matches(action) for action in actions)


def _holds(contact: Contact, workspace: Workspace, group: AnyOf) -> bool:
    return not group.identities.isdisjoint(contact.details.identities) or not group.terms.isdisjoint(
        terms_of(contact.details, workspace)
    )


class MemoryWalks:
    """Walks and WalkReader."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._walks: dict[tuple[WorkspaceId, str], datetime] = {}

    async def begin(self, workspace_id: WorkspaceId, *walks: str) -> datetime:
        turn = self._shelf.take(workspace_id)
        assert turn is not None  # whoever walks was let into the workspace
        self._shelf.end(turn)
        self._walks |= {(workspace_id, walk): turn.at for walk in walks}
        return turn.at

    async def resume(self, workspace_id: WorkspaceId, walk: str) -> datetime | None:
        return self._walks.get((workspace_id, walk))

    async def contacts_as_of(self, workspace_id: WorkspaceId, as_of: datetime, *, page: int, limit: int) -> WalkPage:
        ids = {each.contact_id for each in self._shelf.live(workspace_id) if each.created_at <= as_of}
        spans = self._shelf.spans.get(workspace_id, [])
        ids |= {span.contact_id for span in spans if span.created_at <= as_of < span.until}
        cut = sorted(ids)[(page - 1) * limit :]
        return WalkPage(self._read(workspace_id, cut[:limit]), len(cut) > limit)

    async def changes_as_of(
        self, workspace_id: WorkspaceId, as_of: datetime, *, since: datetime, page: int, limit: int
    ) -> DeltaPage:
        spans = self._shelf.spans.get(workspace_id, [])
        present = [(each.changed_at, each.contact_id) for each in self._shelf.live(workspace_id)]
        past = [(span.changed_at, span.contact_id) for span in spans if span.until > as_of]
        gone = [(span.until, span.contact_id) for span in spans if span.gone]
        updated = sorted(each for each in (*present, *past) if since <= each[0] <= as_of)[(page - 1) * limit :]
        deleted = sorted(each for each in gone if since <= each[0] <= as_of)[(page - 1) * limit :]
        return DeltaPage(
            self._read(workspace_id, [contact_id for _, contact_id in updated[:limit]]),
            [contact_id for _, contact_id in deleted[:limit]],
            len(updated) > limit or len(deleted) > limit,
        )

    def _read(self, workspace_id: WorkspaceId, ids: Sequence[ContactId]) -> list[Contact]:
        contacts = self._shelf.contacts
        return [contacts[workspace_id, each] for each in ids if (workspace_id, each) in contacts]


class MemoryActions:
    """ActionBook and ActionChanges."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def add(self, workspace_id: WorkspaceId, contact_id: ContactId, actions: Sequence[Action]) -> bool:
        if (workspace_id, contact_id) not in self._shelf.contacts:
            return False
        for action in actions:
            self._shelf.actions[workspace_id, action.action_id] = action
        return True

    async def get(self, workspace_id: WorkspaceId, contact_id: ContactId, action_id: ActionId) -> Action | None:
        found = self._shelf.actions.get((workspace_id, action_id))
        return found if found is not None and found.contact_id == contact_id else None

    async def page(
        self, workspace_id: WorkspaceId, contact_id: ContactId, which: ActionFilter, *, skip: int, limit: int
    ) -> ActionPage:
        found = [
            action
            for (workspace, _), action in self._shelf.actions.items()
            if workspace == workspace_id and action.contact_id == contact_id and which.matches(action)
        ]
        found.sort(key=lambda action: (action.created_at, action.action_id), reverse=True)
        return ActionPage(found[skip : skip + limit], len(found))

    async def change(
        self,
        workspace_id: WorkspaceId,
        contact_id: ContactId,
        action_id: ActionId,
        decide: Callable[[Action], Action | R],
    ) -> Action | R | None:
        known = await self.get(workspace_id, contact_id, action_id)
        if known is None:
            return None
        decided = decide(known)
        if not isinstance(decided, Action) or decided == known:
            return decided
        changed = replace(decided, version=known.version + 1)
        self._shelf.actions[workspace_id, action_id] = changed
        return changed
