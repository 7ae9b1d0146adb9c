"""Protobuf to domain and back."""

from contactsync.access.v1 import access_service_pb2, client_pb2
from contactsync.policy.v1 import policy_pb2

from libs.stamps import stamp_of
from services.access.domain.client import Client, Key
from services.access.domain.client_settings import ClientSettings, Duplicates, Scope, WantedSettings
from services.access.handler import Authenticated

SCOPES = {Scope.IMPORT: policy_pb2.SCOPE_IMPORT, Scope.READ: policy_pb2.SCOPE_READ, Scope.ADMIN: policy_pb2.SCOPE_ADMIN}
DUPLICATES = {
    Duplicates.KEEP_ALL: client_pb2.DUPLICATE_POLICY_KEEP_ALL,
    Duplicates.KEEP_LAST: client_pb2.DUPLICATE_POLICY_KEEP_LAST,
}
_SCOPE_OF = {number: scope for scope, number in SCOPES.items()}
_DUPLICATES_OF = {number: policy for policy, number in DUPLICATES.items()}


def read_settings(message: client_pb2.ClientSettings) -> WantedSettings:
    """Read settings as asked for; the contract let no unknown number in."""
    return WantedSettings(
        scopes=[_SCOPE_OF[number] for number in message.scopes],
        default_region=message.default_region,
        destination_ids=list(message.destination_ids),
        duplicates=_DUPLICATES_OF.get(message.duplicates),
        rate=message.rate,
        allowed_networks=list(message.allowed_networks),
        hmac=message.hmac,
        workspace_id=message.workspace_id,
    )


def write_result(found: Authenticated | None) -> access_service_pb2.AuthenticateResult:
    """Write whom a key belongs to; nothing at all for a key that opens nothing."""
    if found is None:
        return access_service_pb2.AuthenticateResult()
    return access_service_pb2.AuthenticateResult(client=write_client(found.client), hmac_secrets=found.hmac_secrets)


def write_client(client: Client) -> client_pb2.Client:
    """Write a client with what may be shown of its keys."""
    return client_pb2.Client(
        id=client.client_id,
        name=client.name,
        settings=_write_settings(client.settings),
        enabled=client.enabled,
        keys=[_write_key(key) for key in client.keys],
        created_at=stamp_of(client.created_at),
    )


def _write_settings(settings: ClientSettings) -> client_pb2.ClientSettings:
    return client_pb2.ClientSettings(
        scopes=[SCOPES[scope] for scope in settings.scopes],
        default_region=settings.default_region,
        destination_ids=settings.destination_ids,
        duplicates=DUPLICATES[settings.duplicates],
        rate=settings.rate,
        allowed_networks=[str(network) for network in settings.allowed_networks],
        hmac=settings.hmac,
        workspace_id=settings.workspace_id,
    )


def _write_key(key: Key) -> client_pb2.KeyInfo:
    return client_pb2.KeyInfo(
        key_id=key.key_id,
        created_at=stamp_of(key.created_at),
        expires_at=None if key.expires_at is None else stamp_of(key.expires_at),
        last_used_at=None if key.last_used_at is None else stamp_of(key.last_used_at),
    )
