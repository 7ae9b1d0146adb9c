"""The use cases of workspaces and their users, for operators."""

from collections.abc import Mapping
from dataclasses import replace

from services.directory.domain.contact import WorkspaceId
from services.directory.domain.errors import WorkspaceNotFoundError
from services.directory.domain.member import Joined, Member, MemberPage, MemberState, NotJoined, Role
from services.directory.domain.spec import read_spec
from services.directory.domain.workspace import Workspace
from services.directory.ports import Clock, Entropy, MemberBook, MemberChanges, WorkspaceBook, WorkspaceChanges

_ID_BYTES = 12
_EVERYONE = 1_000_000


class Workspaces:
    """Workspaces and who works in them. A workspace is never deleted."""

    def __init__(
        self,
        *,
        workspaces: WorkspaceBook,
        changes: WorkspaceChanges,
        members: MemberBook,
        member_changes: MemberChanges,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._workspaces = workspaces
        self._changes = changes
        self._members = members
        self._member_changes = member_changes
        self._clock = clock
        self._entropy = entropy

    async def create(self, *, name: str, spec: Mapping[str, object]) -> Workspace:
        """A new workspace as the spec says. Raises BadShape."""
        workspace = read_spec(
            spec, workspace_id=WorkspaceId(self._new_id()), name=name, new_id=self._new_id, now=self._clock()
        )
        await self._workspaces.add(workspace)
        return workspace

    async def list(self) -> list[Workspace]:
        """All, by creation."""
        return await self._workspaces.list()

    async def get(self, workspace_id: WorkspaceId) -> Workspace:
        """Raises WorkspaceNotFoundError."""
        found = await self._workspaces.get(workspace_id)
        if found is None:
            raise WorkspaceNotFoundError(workspace_id)
        return found

    async def rename(self, workspace_id: WorkspaceId, name: str) -> Workspace:
        """Raises WorkspaceNotFoundError."""
        renamed = await self._changes.change(workspace_id, lambda known: replace(known, name=name))
        if not isinstance(renamed, Workspace):
            raise WorkspaceNotFoundError(workspace_id)
        return renamed

    async def members(self, workspace_id: WorkspaceId) -> MemberPage:
        """The team, by name. Raises WorkspaceNotFoundError."""
        await self.get(workspace_id)
        return await self._members.page(workspace_id, deleted=False, skip=0, limit=_EVERYONE)

    async def add_user(
        self, workspace_id: WorkspaceId, *, email: str, name: str, role: Role = Role.CALLER, seat: bool = True
    ) -> Joined | NotJoined:
        """Adds an active member; without a seat it is a user of the connect API alone."""
        member = Member(
            workspace_id=workspace_id,
            member_id=self._new_id(),
            email=email,
            name=name or email.partition("@")[0],
            role=role,
            state=MemberState.ACTIVE,
            seat=seat,
            created_at=self._clock(),
        )
        return await self._members.join(member)

    async def find_user(self, workspace_id: WorkspaceId, email: str) -> Member | None:
        """With a seat or without."""
        return await self._members.find(workspace_id, email)

    async def remove_user(self, workspace_id: WorkspaceId, email: str) -> bool:
        """Its connect keys open nothing from the next call on. False when there is none."""
        return await self._member_changes.remove(workspace_id, email)

    def _new_id(self) -> str:
        return self._entropy(_ID_BYTES).hex()
