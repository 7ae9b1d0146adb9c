"""Single contacts: written one at a time, searched, and walked through."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from services.directory.domain.action import Action
from services.directory.domain.contact import Contact, ContactId, Details, Identity, WorkspaceId
from services.directory.domain.leads import (
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
from services.directory.domain.workspace import Workspace

R = TypeVar("R")
Noting = Callable[[Contact], Sequence[Action]]


class LeadWriter(Protocol):
    """Writes one contact in one unit, on disk when it returns. Writers of one contact take turns."""

    async def create(
        self,
        workspace_id: WorkspaceId,
        details: Details,
        *,
        mint: Callable[[datetime], ContactId],
        unique: Identity | None,
        noting: Noting | None = None,
    ) -> Created | Exists | NoWorkspace:
        """Adds a contact. When a live one owns `unique`, one of the identities of `details`, nothing is written.

        Of many that come at once with one identity exactly one is created. `mint` gives the new id by the time of
        creation; `noting` says what actions the new contact
        has from the first.
        """
        ...

    async def change(
        self, workspace_id: WorkspaceId, contact_id: ContactId, decide: Callable[[Contact, Workspace], Details | R]
    ) -> Changed | NoContact | R:
        """Writes the details that `decide` gives; anything else that it gives is handed back, and nothing is written.

        Equal details change nothing, and the version stays. `decide` may be called more than once.
        """
        ...


class LeadLookup(Protocol):
    """Finds one live contact."""

    async def by_number(self, workspace_id: WorkspaceId, number: int) -> Contact | None:
        """By its number in the workspace."""
        ...

    async def by_identity(self, workspace_id: WorkspaceId, identity: Identity) -> Contact | None:
        """The owner of the identity."""
        ...


class LeadSearch(Protocol):
    """Finds live contacts, newest first: by creation time, then id, both downwards."""

    async def search(self, workspace_id: WorkspaceId, query: LeadQuery) -> LeadPage:
        """A page of those that match, and how many do; a deep page costs no walk over those before it."""
        ...

    def containing(self, workspace_id: WorkspaceId, text: str) -> AsyncIterator[Sequence[Contact]]:
        """All whose first name, last name or an e-mail contains the text, in pieces of some hundred.

        Newest first. The text is folded; the empty one is in all. A piece costs what is in it, however many there are.
        What is written meanwhile is found once or, when it is new or had not contained the text, not at all.
        """
        ...


class Walks(Protocol):
    """Remembers what a walk through many pages froze."""

    async def begin(self, workspace_id: WorkspaceId, *walks: str) -> datetime:
        """Now: all of before can be seen, and nothing more will be written before it. Kept as each of `walks`."""
        ...

    async def resume(self, workspace_id: WorkspaceId, walk: str) -> datetime | None:
        """What `begin` gave last for `walk`; None when it never did, or long ago."""
        ...


class WalkReader(Protocol):
    """Pages that stay where they are while others write: what is not there any more leaves a gap. Pages from 1."""

    async def contacts_as_of(self, workspace_id: WorkspaceId, as_of: datetime, *, page: int, limit: int) -> WalkPage:
        """The contacts that were live then, by id, as they are now."""
        ...

    async def changes_as_of(
        self, workspace_id: WorkspaceId, as_of: datetime, *, since: datetime, page: int, limit: int
    ) -> DeltaPage:
        """What had changed from `since` to then, inclusive; `limit` counts updated and deleted separately.

        A contact that is changed again behind `as_of` keeps its place and is shown as it is now: no change of another
        moves a row to another page. One that is deleted behind `as_of` leaves a gap, and the next delta tells it.
        """
        ...


class Lettering(Protocol):
    """Makes what a substring search goes by, behind the units that wrote the contacts."""

    async def letter_some(self) -> int:
        """Takes some of those that wait; returns how many. What waits is found as well, only not as fast."""
        ...
