"""What opens the published APIs, as the door asks for it."""

from collections.abc import Mapping

from libs.rpc import Credential, CredentialAuthenticator, WorkspaceCaller
from services.directory.handler import Credentials
from services.directory.handler.credentials import Opened


def openers(credentials: Credentials) -> Mapping[Credential, CredentialAuthenticator]:
    """One for each credential; all but telecrm's tokens open their workspace whatever the path."""

    async def sync(token: str, enterprise_id: str) -> WorkspaceCaller | None:
        return _caller(await credentials.open_sync(enterprise_id, token))

    async def async_(token: str, enterprise_id: str) -> WorkspaceCaller | None:
        return _caller(await credentials.open_async(enterprise_id, token))

    async def connect(key: str, _path: str) -> WorkspaceCaller | None:
        return _caller(await credentials.open_connect(key))

    async def basic(pair: str, _path: str) -> WorkspaceCaller | None:
        client_id, _, secret = pair.partition(":")
        return _caller(await credentials.open_source_basic(client_id, secret))

    async def token(jwt: str, _path: str) -> WorkspaceCaller | None:
        return _caller(await credentials.open_source_token(jwt))

    return {
        Credential.TELECRM_SYNC: sync,
        Credential.TELECRM_ASYNC: async_,
        Credential.CONNECT_KEY: connect,
        Credential.SOURCE_BASIC: basic,
        Credential.SOURCE_TOKEN: token,
    }


def _caller(opened: Opened | None) -> WorkspaceCaller | None:
    if opened is None:
        return None
    user = "" if opened.user is None else opened.user.email
    return WorkspaceCaller(opened.workspace.workspace_id, user, opened.credential_id, opened.token_id)
