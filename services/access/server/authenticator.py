"""How the door of access itself resolves keys: from its own store, where everyone else asks over gRPC."""

from libs.rpc import Authenticator, ClientCaller, ClientId, Duplicates, Scope
from services.access.domain import client_settings
from services.access.handler import Access, Authenticated

_SCOPES = {
    client_settings.Scope.IMPORT: Scope.IMPORT,
    client_settings.Scope.READ: Scope.READ,
    client_settings.Scope.ADMIN: Scope.ADMIN,
}
_DUPLICATES = {
    client_settings.Duplicates.KEEP_ALL: Duplicates.KEEP_ALL,
    client_settings.Duplicates.KEEP_LAST: Duplicates.KEEP_LAST,
}


def local_authenticator(access: Access) -> Authenticator:
    """Resolve one key at a time, uncached."""

    async def authenticate(key: str) -> ClientCaller | None:
        [found] = await access.authenticate([key])
        return None if found is None else caller_of(found)

    return authenticate


def caller_of(found: Authenticated) -> ClientCaller:
    """Give the client as a door knows it."""
    settings = found.client.settings
    return ClientCaller(
        client_id=ClientId(found.client.client_id),
        scopes=frozenset(_SCOPES[scope] for scope in settings.scopes),
        default_region=settings.default_region,
        destination_ids=settings.destination_ids,
        duplicates=_DUPLICATES[settings.duplicates],
        rate=settings.rate,
        allowed_networks=settings.allowed_networks,
        signs=settings.hmac,
        workspace_id=settings.workspace_id,
        secrets=tuple(secret.encode() for secret in found.hmac_secrets),
    )
