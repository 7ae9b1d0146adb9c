"""Actions of leads."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from services.directory.domain.action import Action, ActionFilter, ActionId, ActionPage
from services.directory.domain.contact import ContactId, WorkspaceId

R = TypeVar("R")


class ActionBook(Protocol):
    """Keeps the actions of live contacts; a contact's go with it."""

    async def add(self, workspace_id: WorkspaceId, contact_id: ContactId, actions: Sequence[Action]) -> bool:
        """All in one unit. False when there is no such contact, and nothing is written."""
        ...

    async def get(self, workspace_id: WorkspaceId, contact_id: ContactId, action_id: ActionId) -> Action | None:
        """None when that contact has none of that id."""
        ...

    async def page(
        self, workspace_id: WorkspaceId, contact_id: ContactId, which: ActionFilter, *, skip: int, limit: int
    ) -> ActionPage:
        """Newest first: by time, then id, both downwards."""
        ...


class ActionChanges(Protocol):
    """Changes actions."""

    async def change(
        self,
        workspace_id: WorkspaceId,
        contact_id: ContactId,
        action_id: ActionId,
        decide: Callable[[Action], Action | R],
    ) -> Action | R | None:
        """Writes what `decide` gives, with the next version; anything else is handed back. None: no such action."""
        ...
