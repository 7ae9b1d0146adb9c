"""Workspaces, members and credentials, in memory."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from services.directory.domain.contact import WorkspaceId
from services.directory.domain.credential import Credential, CredentialId, CredentialKind
from services.directory.domain.leads import NoWorkspace
from services.directory.domain.member import Joined, Member, MemberPage, MemberState, NotJoined
from services.directory.domain.search import fold
from services.directory.domain.workspace import Workspace
from services.directory.store.memory.shelf import Shelf

R = TypeVar("R")


class MemoryWorkspaces:
    """WorkspaceBook and WorkspaceChanges."""

    def __init__(self, shelf: Shelf) -> None:
        self._workspaces = shelf.workspaces

    async def get(self, workspace_id: WorkspaceId) -> Workspace | None:
        return self._workspaces.get(workspace_id)

    async def list(self) -> list[Workspace]:
        return sorted(self._workspaces.values(), key=lambda each: (each.created_at, each.workspace_id))

    async def add(self, workspace: Workspace) -> None:
        self._workspaces[workspace.workspace_id] = workspace

    async def change(
        self, workspace_id: WorkspaceId, decide: Callable[[Workspace], Workspace | R]
    ) -> Workspace | NoWorkspace | R:
        known = self._workspaces.get(workspace_id)
        if known is None:
            return NoWorkspace.NO_WORKSPACE
        decided = decide(known)
        if not isinstance(decided, Workspace) or decided == known:
            return decided
        changed = self._workspaces[workspace_id] = replace(decided, version=known.version + 1)
        return changed


class MemoryMembers:
    """MemberBook and MemberChanges."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def join(self, member: Member) -> Joined | NotJoined:
        workspace = self._shelf.workspaces.get(member.workspace_id)
        if workspace is None:
            return NotJoined.NO_WORKSPACE
        known = self._shelf.members.get(_key(member.workspace_id, member.email))
        if known is not None and known.state is not MemberState.DELETED and (known.seat or not member.seat):
            return NotJoined.EXISTS
        if member.seat and self._taken(member.workspace_id) >= workspace.seats:
            return NotJoined.NO_SEAT
        self._shelf.members[_key(member.workspace_id, member.email)] = member
        return Joined(member)

    async def find(self, workspace_id: WorkspaceId, email: str, *, deleted: bool = False) -> Member | None:
        found = self._shelf.members.get(_key(workspace_id, email))
        return None if found is not None and found.state is MemberState.DELETED and not deleted else found

    async def page(self, workspace_id: WorkspaceId, *, deleted: bool, skip: int, limit: int) -> MemberPage:
        team = [
            member
            for (workspace, _), member in self._shelf.members.items()
            if workspace == workspace_id and member.seat and (deleted or member.state is not MemberState.DELETED)
        ]
        team.sort(key=lambda member: (fold(member.name), fold(member.email.strip())))
        return MemberPage(team[skip : skip + limit], len(team))

    async def change(self, workspace_id: WorkspaceId, email: str, decide: Callable[[Member], Member]) -> Member | None:
        known = await self.find(workspace_id, email)
        if known is None:
            return None
        changed = self._shelf.members[_key(workspace_id, email)] = decide(known)
        return changed

    async def remove(self, workspace_id: WorkspaceId, email: str) -> bool:
        known = await self.find(workspace_id, email)
        if known is None:
            return False
        self._shelf.members[_key(workspace_id, email)] = replace(known, state=MemberState.DELETED)
        for credential in list(self._shelf.credentials.values()):
            owner = _key(credential.workspace_id, credential.user_email)
            if credential.kind is CredentialKind.CONNECT and owner == _key(workspace_id, email):
                del self._shelf.credentials[credential.credential_id]
        return True

    def _taken(self, workspace_id: WorkspaceId) -> int:
        members = self._shelf.members.items()
        return sum(1 for (workspace, _), member in members if workspace == workspace_id and member.takes_seat)


class MemoryCredentials:
    """CredentialBook and CredentialList."""

    def __init__(self, shelf: Shelf) -> None:
        self._credentials = shelf.credentials

    async def add(self, credential: Credential, *, most: int | None) -> bool:
        known = await self.of_workspace(credential.workspace_id)
        if most is not None and sum(1 for each in known if each.kind is credential.kind) >= most:
            return False
        self._credentials[credential.credential_id] = credential
        return True

    async def find(self, credential_id: CredentialId) -> Credential | None:
        return self._credentials.get(credential_id)

    async def delete(self, workspace_id: WorkspaceId, credential_id: CredentialId) -> bool:
        found = self._credentials.get(credential_id)
        if found is None or found.workspace_id != workspace_id:
            return False
        del self._credentials[credential_id]
        return True

    async def of_workspace(self, workspace_id: WorkspaceId) -> list[Credential]:
        found = [each for each in self._credentials.values() if each.workspace_id == workspace_id]
        return sorted(found, key=lambda each: (each.created_at, each.credential_id))


def _key(workspace_id: WorkspaceId, email: str) -> tuple[WorkspaceId, str]:
    return workspace_id, fold(email.strip())
