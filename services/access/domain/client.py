"""API clients and the rules of their keys: two live ones at most, each with the secret that signs while it lives."""

import base64
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NewType

from services.access.domain.client_settings import ClientSettings
from services.access.domain.errors import InvalidClientError, KeyNotFoundError, TwoKeysLiveError, Violation
from services.access.domain.key import KeyId

ClientId = NewType("ClientId", str)

CLIENT_ID_RANDOM_BYTES = 10
MOST_LIVE_KEYS = 2
DEFAULT_OVERLAP = timedelta(hours=24)
REMEMBERED = timedelta(days=30)
MOST_REMEMBERED = 10
"""How long an ended key is still listed, and how many of them, so that an operator can see when it ended."""
USE_GRAIN = timedelta(minutes=1)
"""`last_used_at` may lag this far behind, which spares a write per request."""

_ID_SHAPE = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What is kept of an API key. A client that signs has a sealed secret on each live key."""

    key_id: KeyId
    digest: bytes = field(repr=False)
    sealed_secret: bytes | None = field(repr=False)
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None

    def is_live(self, now: datetime) -> bool:
        """Tell whether the key still opens; at `expires_at` itself it no longer does."""
        return self.expires_at is None or now < self.expires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """An API client. Keys are oldest first."""

    client_id: ClientId
    name: str
    settings: ClientSettings
    enabled: bool
    created_at: datetime
    keys: tuple[Key, ...]

    def key(self, key_id: KeyId) -> Key | None:
        """Give the key with the id, live or not."""
        return next((key for key in self.keys if key.key_id == key_id), None)

    def live_keys(self, now: datetime) -> tuple[Key, ...]:
        """Give the keys that still open, oldest first."""
        return tuple(key for key in self.keys if key.is_live(now))


def make_client_id(random: bytes) -> ClientId:
    """Write an id from exactly `CLIENT_ID_RANDOM_BYTES` bytes; ValueError for any other number."""
    if len(random) != CLIENT_ID_RANDOM_BYTES:
        raise ValueError(f"a client id is made of {CLIENT_ID_RANDOM_BYTES} bytes")
    return ClientId("client-" + base64.b32encode(random).decode().lower())


def parse_client_id(text: str) -> ClientId | None:
    """Give the text as a client id; None when no client can have it."""
    return ClientId(text) if _ID_SHAPE.fullmatch(text) else None


def parse_name(text: str) -> str:
    """Give the name without the space around it; InvalidClientError when nothing or something unprintable is left."""
    name = text.strip()
    if not 0 < len(name) <= 100 or not name.isprintable():
        raise InvalidClientError([Violation("/name", "bad_name", "must be 1 to 100 printable characters", text[:64])])
    return name


def rotate(client: Client, *, key: Key, overlap: timedelta, now: datetime) -> Client:
    """Add the key and let the live one end after the overlap, if not sooner; TwoKeysLiveError when there are two."""
    live = client.live_keys(now)
    if len(live) >= MOST_LIVE_KEYS:
        raise TwoKeysLiveError(older_ends_at=live[0].expires_at)
    ending = (_end(old, at=now + overlap) for old in client.keys)
    return replace(client, keys=(*_settle(ending, now=now), key))


def revoke(client: Client, *, key_id: KeyId | None, now: datetime) -> Client:
    """End one key, or with None every key, at once; ended ones stay as they are.

    KeyNotFoundError when the client has no such key.
    """
    if key_id is not None and client.key(key_id) is None:
        raise KeyNotFoundError
    ending = (_end(key, at=now) if key_id in {None, key.key_id} else key for key in client.keys)
    return replace(client, keys=_settle(ending, now=now))


def update(
    client: Client,
    *,
    settings: ClientSettings | None,
    enabled: bool | None,
    seal: Callable[[KeyId], bytes],
    now: datetime,
) -> Client:
    """Put new settings or a new state in force; None leaves either as it is.

    Turning signing on seals a secret to each live key, and only then `seal` is asked; turning it off forgets them.
    """
    settings = client.settings if settings is None else settings
    keys = tuple(_signing(key, settings, seal, now=now) for key in client.keys)
    return replace(client, settings=settings, enabled=client.enabled if enabled is None else enabled, keys=keys)


def _signing(key: Key, settings: ClientSettings, seal: Callable[[KeyId], bytes], *, now: datetime) -> Key:
    if not settings.hmac or not key.is_live(now):
        return replace(key, sealed_secret=None)
    return replace(key, sealed_secret=key.sealed_secret or seal(key.key_id))


def _end(key: Key, *, at: datetime) -> Key:
    return replace(key, expires_at=at if key.expires_at is None else min(at, key.expires_at))


def _settle(keys: Iterable[Key], *, now: datetime) -> tuple[Key, ...]:
    """Forget the secrets of ended keys, and all but the last few of those that ended lately."""
    keys = tuple(keys)
    ended = [
        key.key_id for key in keys if key.expires_at is not None and timedelta(0) <= now - key.expires_at < REMEMBERED
    ]
    listed = set(ended[-MOST_REMEMBERED:])
    return tuple(
        key if key.is_live(now) else replace(key, sealed_secret=None)
        for key in keys
        if key.is_live(now) or key.key_id in listed
    )
