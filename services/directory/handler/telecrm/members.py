"""The team of a workspace."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from services.directory.domain.contact import WorkspaceId
from services.directory.domain.member import Joined, License, Member, MemberState, NotJoined
from services.directory.domain.telecrm.members import INVALID_EMAIL, email_taken, read_new_member, read_state
from services.directory.domain.telecrm.paging import Paging
from services.directory.domain.telecrm.refusals import (
    BadRequestError,
    EnterpriseNotFoundError,
    MemberNotFoundError,
    NoSeatError,
)
from services.directory.domain.telecrm.values import is_email
from services.directory.ports import Clock, Entropy, MemberBook, MemberChanges

_ID_BYTES = 12
_SEAT_STATUS, _SEAT_TYPE = "ACTIVE", "STANDARD"


@dataclass(frozen=True, slots=True)
class ShownMember:
    """A member, and who manages it."""

    member: Member
    manager: Member | None


@dataclass(frozen=True, slots=True)
class ShownMembers:
    """A page of members, and how many there are in all."""

    members: Sequence[ShownMember] = field(repr=False)
    total: int


class Team:
    """Team members by the rules of telecrm."""

    def __init__(self, *, members: MemberBook, changes: MemberChanges, clock: Clock, entropy: Entropy) -> None:
        self._members = members
        self._changes = changes
        self._clock = clock
        self._entropy = entropy

    async def list(self, workspace_id: WorkspaceId, paging: Paging, *, deleted: bool) -> ShownMembers:
        """By name."""
        page = await self._members.page(workspace_id, deleted=deleted, skip=paging.skip, limit=paging.limit)
        return ShownMembers([await self._shown(member) for member in page.members], page.total)

    async def get(self, workspace_id: WorkspaceId, email: str, *, deleted: bool) -> ShownMember:
        """Raises BadRequestError for what is no e-mail, and MemberNotFoundError."""
        if not is_email(email):
            raise BadRequestError(INVALID_EMAIL)
        found = await self._members.find(workspace_id, email, deleted=deleted)
        if found is None or not found.seat:
            raise MemberNotFoundError
        return await self._shown(found)

    async def add(self, workspace_id: WorkspaceId, body: Mapping[str, object]) -> Member:
        """Raises BadRequestError and NoSeatError."""
        new, now = read_new_member(body), self._clock()
        member = Member(
            workspace_id=workspace_id,
            member_id=self._entropy(_ID_BYTES).hex(),
            email=new.email,
            name=new.name,
            phone_number=new.phone_number,
            role=new.role,
            state=MemberState.INVITED if new.invited else MemberState.ACTIVE,
            license=License(_SEAT_STATUS, _SEAT_TYPE, now, None),
            created_at=now,
        )
        return _joined(await self._members.join(member), workspace_id)

    async def change_state(self, workspace_id: WorkspaceId, body: Mapping[str, object]) -> Member:
        """Raises BadRequestError and MemberNotFoundError."""
        email, state = read_state(body)
        found = await self._members.find(workspace_id, email)
        if found is None or not found.seat:
            raise MemberNotFoundError
        changed = await self._changes.change(workspace_id, email, lambda member: replace(member, state=state))
        if changed is None:
            raise MemberNotFoundError
        return changed

    async def _shown(self, member: Member) -> ShownMember:
        if not member.manager_email:
            return ShownMember(member, None)
        return ShownMember(member, await self._members.find(member.workspace_id, member.manager_email))


def _joined(joined: Joined | NotJoined, workspace_id: WorkspaceId) -> Member:
    match joined:
        case Joined(member):
            return member
        case NotJoined.EXISTS:
            raise email_taken()
        case NotJoined.NO_SEAT:
            raise NoSeatError
        case NotJoined.NO_WORKSPACE:
            raise EnterpriseNotFoundError(workspace_id)
