"""Rows to clients and back."""

import json
from collections.abc import Iterable
from datetime import datetime
from ipaddress import ip_network
from itertools import groupby
from typing import Any

from libs.storage import from_micros, to_micros
from services.access.domain.client import Client, ClientId, Key
from services.access.domain.client_settings import ClientSettings, Duplicates, Scope
from services.access.domain.key import KeyId

Row = tuple[Any, ...]

CLIENT_COLUMNS = (
    "client_id",
    "name",
    "enabled",
    "created_at",
    "scopes",
    "default_region",
    "destination_ids",
    "duplicates",
    "rate",
    "allowed_networks",
    "hmac",
    "workspace_id",
)
KEY_COLUMNS = ("key_id", "client_id", "digest", "sealed_secret", "created_at", "expires_at", "last_used_at")


def client_row(client: Client) -> Row:
    """Lay a client out as `CLIENT_COLUMNS`."""
    settings = client.settings
    return (
        client.client_id,
        client.name,
        int(client.enabled),
        to_micros(client.created_at),
        json.dumps([scope.value for scope in settings.scopes]),
        settings.default_region,
        json.dumps(settings.destination_ids),
        settings.duplicates.value,
        settings.rate,
        json.dumps([str(network) for network in settings.allowed_networks]),
        int(settings.hmac),
        settings.workspace_id,
    )


def key_row(key: Key, client_id: ClientId) -> Row:
    """Lay a key out as `KEY_COLUMNS`."""
    return (
        key.key_id,
        client_id,
        key.digest,
        key.sealed_secret,
        to_micros(key.created_at),
        _micros(key.expires_at),
        _micros(key.last_used_at),
    )


def read_clients(rows: Iterable[Row]) -> list[Client]:
    """Read rows of `CLIENT_COLUMNS` followed by `KEY_COLUMNS`, those of a client together and its keys oldest first."""
    return [_client(list(of_one)) for _, of_one in groupby(rows, key=lambda row: row[0])]


def _client(rows: list[Row]) -> Client:
    client_id, name, enabled, created_at, *settings = rows[0][: len(CLIENT_COLUMNS)]
    keys = (row[len(CLIENT_COLUMNS) :] for row in rows)
    return Client(
        client_id=ClientId(client_id),
        name=name,
        enabled=bool(enabled),
        created_at=from_micros(created_at),
        settings=_settings(*settings),
        keys=tuple(_key(*key) for key in keys),
    )


def _settings(  # noqa: PLR0917  # the columns in their order
    scopes: str,
    default_region: str,
    destination_ids: str,
    duplicates: str,
    rate: float,
    allowed_networks: str,
    hmac: int,
    workspace_id: str,
) -> ClientSettings:
    return ClientSettings(
        scopes=tuple(map(Scope, json.loads(scopes))),
        default_region=default_region,
        destination_ids=tuple(json.loads(destination_ids)),
        duplicates=Duplicates(duplicates),
        rate=rate,
        allowed_networks=tuple(map(ip_network, json.loads(allowed_networks))),
        hmac=bool(hmac),
        workspace_id=workspace_id,
    )


def _key(  # noqa: PLR0917  # the columns in their order
    key_id: str,
    _: str,
    digest: bytes,
    sealed_secret: bytes | None,
    created_at: int,
    expires_at: int | None,
    last_used_at: int | None,
) -> Key:
    return Key(
        key_id=KeyId(key_id),
        digest=digest,
        sealed_secret=sealed_secret,
        created_at=from_micros(created_at),
        expires_at=_moment(expires_at),
        last_used_at=_moment(last_used_at),
    )


def _micros(moment: datetime | None) -> int | None:
    return None if moment is None else to_micros(moment)


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)
