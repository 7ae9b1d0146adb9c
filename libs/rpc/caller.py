"""Who is calling."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import IntEnum
from ipaddress import IPv4Network, IPv6Network
from typing import NewType, TypeAlias

ClientId = NewType("ClientId", str)
Network: TypeAlias = IPv4Network | IPv6Network


class Scope(IntEnum):
    """What a key allows; the numbers of `contactsync.policy.v1.Scope`."""

    IMPORT = 1
    READ = 2
    ADMIN = 3


class Credential(IntEnum):
    """What opens a workspace through one of the published APIs; the numbers of `contactsync.policy.v1.Credential`."""

    TELECRM_SYNC = 1
    TELECRM_ASYNC = 2
    CONNECT_KEY = 3
    SOURCE_BASIC = 4
    SOURCE_TOKEN = 5


class Duplicates(IntEnum):
    """What happens to equal rows of one import; the numbers of `contactsync.access.v1.DuplicatePolicy`."""

    KEEP_ALL = 1
    KEEP_LAST = 2


@dataclass(frozen=True, slots=True)
class ClientCaller:
    """An API client, known by its key. Every default of the contract is filled in."""

    client_id: ClientId
    scopes: frozenset[Scope]
    default_region: str = "RU"
    destination_ids: tuple[str, ...] = ("directory",)
    duplicates: Duplicates = Duplicates.KEEP_ALL
    rate: float = 10.0
    """Requests per second."""
    allowed_networks: tuple[Network, ...] = ()
    """Empty: any address."""
    signs: bool = False
    """True: every request must be signed."""
    workspace_id: str = ""
    """Where in the contact book its contacts land. Empty: the first workspace."""
    secrets: tuple[bytes, ...] = field(default=(), repr=False)
    """Any one of them may have signed."""


@dataclass(frozen=True, slots=True)
class ServiceCaller:
    """Another service of the hub, by its folder name ("ingestion")."""

    service: str


@dataclass(frozen=True, slots=True)
class WorkspaceCaller:
    """Who shows a credential of a workspace."""

    workspace_id: str
    user: str = ""
    """E-mail of the member whom the credential belongs to. Empty: it is the workspace's own."""
    credential_id: str = ""
    """Public id of the credential."""
    token_id: str = ""
    """Which of the tokens that stand for the credential. Empty: the credential itself was shown."""


Caller: TypeAlias = ClientCaller | ServiceCaller | WorkspaceCaller

Authenticator: TypeAlias = Callable[[str], Awaitable[ClientCaller | None]]
"""Resolves a key as presented. None: it opens nothing, whatever the reason. Raises when it cannot know now."""

CredentialAuthenticator: TypeAlias = Callable[[str, str], Awaitable[WorkspaceCaller | None]]
"""Resolves a workspace's credential: what was presented ("id:secret" of Basic), and the path's enterprise id, or "".

None: it does not open that workspace, whatever the reason. Asked at every call: what is deleted ends with the next one.
"""
