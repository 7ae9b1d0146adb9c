"""Workspaces and their members."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from services.directory.domain.contact import WorkspaceId
from services.directory.domain.leads import NoWorkspace
from services.directory.domain.member import Joined, Member, MemberPage, NotJoined
from services.directory.domain.workspace import Workspace

R = TypeVar("R")


class WorkspaceBook(Protocol):
    """Keeps workspaces."""

    async def get(self, workspace_id: WorkspaceId) -> Workspace | None:
        """None when there is none."""
        ...

    async def list(self) -> list[Workspace]:
        """All, by creation."""
        ...

    async def add(self, workspace: Workspace) -> None:
        """A new one, under an id that was never used."""
        ...


class WorkspaceChanges(Protocol):
    """Changes workspaces, one change after the other."""

    async def change(
        self, workspace_id: WorkspaceId, decide: Callable[[Workspace], Workspace | R]
    ) -> Workspace | NoWorkspace | R:
        """Writes what `decide` gives, with the next version; anything else is handed back, and nothing is written."""
        ...


class MemberBook(Protocol):
    """Shows members, and lets them join."""

    async def join(self, member: Member) -> Joined | NotJoined:
        """Adds a member while the workspace has a seat left; of many at once no more than the seats are let in.

        One that was deleted, or was a user without a seat, may join anew.
        """
        ...

    async def find(self, workspace_id: WorkspaceId, email: str, *, deleted: bool = False) -> Member | None:
        """Whatever the case of the e-mail; `deleted` looks among those as well."""
        ...

    async def page(self, workspace_id: WorkspaceId, *, deleted: bool, skip: int, limit: int) -> MemberPage:
        """Team members, which are those with a seat, by name, then e-mail; `deleted` shows those too."""
        ...


class MemberChanges(Protocol):
    """Changes members."""

    async def change(self, workspace_id: WorkspaceId, email: str, decide: Callable[[Member], Member]) -> Member | None:
        """Writes what `decide` gives for a member that is not deleted; None when there is none."""
        ...

    async def remove(self, workspace_id: WorkspaceId, email: str) -> bool:
        """Deletes the member and, in the same unit, its connect keys. False when there is none."""
        ...
