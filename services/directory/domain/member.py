"""People of a workspace."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from services.directory.domain.contact import WorkspaceId


class MemberState(Enum):
    """Whether a member works now; the values are the names on the wire."""

    ACTIVE = "Active"
    INACTIVE = "Inactive"
    ON_LEAVE = "On Leave"
    WORKING = "Working"
    INVITED = "Invited"
    DELETED = "Deleted"


class Role(Enum):
    """What a member may do; the values are the names on the wire."""

    ADMIN = "ADMIN"
    MANAGER = "MANAGER"
    CALLER = "CALLER"
    MARKETING_USER = "MARKETING_USER"


@dataclass(frozen=True, slots=True)
class License:
    """What lets a member use a seat."""

    status: str
    type: str
    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member; an e-mail is used once in a workspace, whatever its case. One that was removed is DELETED and kept.

    `phone_number` is digits with the country code. Inactive members keep their seat; deleted ones lose it.
    Without `seat` it is a user of the connect API alone: no team member, and none of the seats is taken.
    """

    workspace_id: WorkspaceId
    member_id: str
    email: str = field(repr=False)
    name: str = field(repr=False)
    phone_number: str = field(default="", repr=False)
    role: Role = Role.CALLER
    state: MemberState = MemberState.INVITED
    manager_email: str = field(default="", repr=False)
    license: License | None = None
    seat: bool = True
    created_at: datetime

    @property
    def takes_seat(self) -> bool:
        """Whether one of the workspace's seats is this member's."""
        return self.seat and self.state is not MemberState.DELETED


@dataclass(frozen=True, slots=True)
class Joined:
    """The member was added."""

    member: Member


class NotJoined(Enum):
    """Why nobody was added."""

    EXISTS = "exists"
    NO_SEAT = "no_seat"
    NO_WORKSPACE = "no_workspace"


@dataclass(frozen=True, slots=True)
class MemberPage:
    """Members by name, and how many there are in all."""

    members: list[Member] = field(repr=False)
    total: int
