"""Credentials of workspaces, and how they are kept."""

from datetime import datetime
from typing import Protocol

from services.directory.domain.contact import WorkspaceId
from services.directory.domain.credential import Credential, CredentialId, SourceToken


class CredentialBook(Protocol):
    """Keeps credentials."""

    async def add(self, credential: Credential, *, most: int | None) -> bool:
        """False when the workspace has `most` of that kind already; of many at once no more than that are added."""
        ...

    async def find(self, credential_id: CredentialId) -> Credential | None:
        """As committed by now: a deleted one is never found."""
        ...

    async def delete(self, workspace_id: WorkspaceId, credential_id: CredentialId) -> bool:
        """False when that workspace has none of that id."""
        ...


class CredentialList(Protocol):
    """Shows what a workspace has."""

    async def of_workspace(self, workspace_id: WorkspaceId) -> list[Credential]:
        """All, by creation."""
        ...


class KeyHash(Protocol):
    """Makes of a credential's text what may be stored of it."""

    def digest(self, key: str) -> bytes:
        """32 bytes, the same for the same text."""
        ...


class SourceTokens(Protocol):
    """The tokens of contact sources (JWT)."""

    def issue(self, token: SourceToken, *, now: datetime) -> str:
        """Its text, which ends after an hour."""
        ...

    def read(self, token: str, *, now: datetime) -> SourceToken | None:
        """Which it is; None when it is none of ours, was changed, or has ended."""
        ...
