"""What opens the published APIs: made and deleted by operators, checked at every call."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum

from services.directory.domain.contact import WorkspaceId
from services.directory.domain.credential import (
    MOST_TOKENS,
    NO_ID,
    RANDOM_BYTES,
    Credential,
    CredentialId,
    CredentialKind,
    Secret,
    SourceToken,
    credential_id_of,
    make_credential,
    parse_credential_id,
)
from services.directory.domain.member import Member
from services.directory.domain.workspace import Workspace
from services.directory.ports import (
    Clock,
    CredentialBook,
    CredentialList,
    Entropy,
    KeyHash,
    MemberBook,
    SourceTokens,
    WorkspaceBook,
)

_NO_DIGEST = bytes(32)
_TOKEN_ID_BYTES = 8


class NotMade(Enum):
    """Why no credential was made."""

    NO_WORKSPACE = "no_workspace"
    TOO_MANY = "too_many"


@dataclass(frozen=True, slots=True)
class Opened:
    """Whose workspace a credential opens; `user` is whose connect key it is, None for one of nobody's in particular.

    `token_id` tells which token of a contact source was shown.
    """

    workspace: Workspace
    credential_id: CredentialId
    user: Member | None = field(default=None, repr=False)
    token_id: str = ""


class Credentials:
    """A credential that is unknown, deleted, of another kind or workspace, or wrong looks the same and costs the same.

    Nothing is cached: a deletion is effective on the next call.
    """

    def __init__(
        self,
        *,
        credentials: CredentialBook,
        listing: CredentialList,
        workspaces: WorkspaceBook,
        members: MemberBook,
        key_hash: KeyHash,
        tokens: SourceTokens,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._credentials = credentials
        self._listing = listing
        self._workspaces = workspaces
        self._members = members
        self._key_hash = key_hash
        self._tokens = tokens
        self._clock = clock
        self._entropy = entropy

    async def create(
        self, workspace_id: WorkspaceId, kind: CredentialKind, *, user_email: str = ""
    ) -> Secret | NotMade:
        """The text is shown here and never again. There are at most MOST_TOKENS of each type of telecrm token."""
        if await self._workspaces.get(workspace_id) is None:
            return NotMade.NO_WORKSPACE
        secret = make_credential(kind, self._entropy(RANDOM_BYTES))
        credential = Credential(
            credential_id=secret.credential_id,
            kind=kind,
            workspace_id=workspace_id,
            digest=self._key_hash.digest(secret.text),
            user_email=user_email,
            created_at=self._clock(),
        )
        most = MOST_TOKENS if kind in {CredentialKind.SYNC, CredentialKind.ASYNC} else None
        return secret if await self._credentials.add(credential, most=most) else NotMade.TOO_MANY

    async def delete(self, workspace_id: WorkspaceId, credential_id: str) -> bool:
        """False when that workspace has none of that id."""
        return await self._credentials.delete(workspace_id, parse_credential_id(credential_id))

    async def of_workspace(self, workspace_id: WorkspaceId) -> list[Credential]:
        """All, by creation."""
        return await self._listing.of_workspace(workspace_id)

    async def open_sync(self, enterprise_id: str, token: str) -> Opened | None:
        """None unless it is a Sync token of that enterprise."""
        return await self._open(token, lambda found: _is(found, CredentialKind.SYNC, enterprise_id))

    async def open_async(self, enterprise_id: str, token: str) -> Opened | None:
        """None unless it is an Async token of that enterprise."""
        return await self._open(token, lambda found: _is(found, CredentialKind.ASYNC, enterprise_id))

    async def open_connect(self, key: str) -> Opened | None:
        """None unless it is a connect key whose user, if it has one, is still there."""
        return await self._open(key, lambda found: found.kind is CredentialKind.CONNECT)

    async def open_source_basic(self, client_id: str, client_secret: str) -> Opened | None:
        """None unless both belong to one source access."""
        return await self._open(
            client_secret,
            lambda found: (
                found.kind is CredentialKind.SOURCE
                and hmac.compare_digest(found.credential_id.encode(), client_id.encode())
            ),
        )

    def issue_source_token(self, credential_id: CredentialId) -> str:
        """A token (JWT) for an hour, for whoever opened this source access with its secret."""
        token = SourceToken(credential_id, self._entropy(_TOKEN_ID_BYTES).hex())
        return self._tokens.issue(token, now=self._clock())

    async def open_source_token(self, token: str) -> Opened | None:
        """None unless it was issued here, has not ended, and its source access is still there."""
        shown = self._tokens.read(token, now=self._clock())
        found = await self._credentials.find(NO_ID if shown is None else shown.credential_id)
        if shown is None or found is None or found.kind is not CredentialKind.SOURCE:
            return None
        opened = await self._opened(found)
        return None if opened is None else replace(opened, token_id=shown.token_id)

    async def _open(self, text: str, fits: Callable[[Credential], bool]) -> Opened | None:
        found = await self._credentials.find(credential_id_of(text))
        given = self._key_hash.digest(text)
        right = hmac.compare_digest(given, _NO_DIGEST if found is None else found.digest)
        if found is None or not right or not fits(found):
            return None
        return await self._opened(found)

    async def _opened(self, found: Credential) -> Opened | None:
        workspace = await self._workspaces.get(found.workspace_id)
        if workspace is None:
            return None
        if not found.user_email:
            return Opened(workspace, found.credential_id)
        user = await self._members.find(found.workspace_id, found.user_email)
        return None if user is None else Opened(workspace, found.credential_id, user)


def _is(found: Credential, kind: CredentialKind, workspace_id: str) -> bool:
    return found.kind is kind and found.workspace_id == workspace_id
