"""The use cases of access: who a key belongs to, and what operators do with clients and keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hmac import compare_digest

from services.access.domain.client import (
    CLIENT_ID_RANDOM_BYTES,
    DEFAULT_OVERLAP,
    USE_GRAIN,
    Client,
    ClientId,
    Key,
    make_client_id,
    parse_client_id,
    parse_name,
    revoke,
    rotate,
    update,
)
from services.access.domain.client_settings import ClientSettings, WantedSettings, fill_settings
from services.access.domain.credentials import (
    ADMIN_ID,
    ADMIN_SETTINGS,
    FIRST_CLIENT_ID,
    FIRST_CLIENT_SETTINGS,
    Credentials,
)
from services.access.domain.errors import ClientNotFoundError, KeyNotFoundError, OperatorKeyChangedError
from services.access.domain.key import (
    KEY_RANDOM_BYTES,
    NO_KEY_ID,
    SECRET_RANDOM_BYTES,
    ApiKey,
    KeyId,
    make_hmac_secret,
    make_key,
    parse_key,
    parse_key_id,
)
from services.access.ports import Changed, Cipher, Clock, CredentialsFile, KeyHash, KeyProofs, Randomness, Store

_NO_DIGEST = bytes(32)


@dataclass(frozen=True, slots=True)
class Authenticated:
    """Who a key belongs to, and the secrets of which any one may sign; none when the client does not sign."""

    client: Client
    hmac_secrets: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Issued:
    """A client with what is shown this once: a new key, and a new signing secret or ""."""

    client: Client
    api_key: str = field(repr=False)
    hmac_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Updated:
    """A client after a change, with the signing secret that the change made, or ""."""

    client: Client
    hmac_secret: str = field(repr=False)


class Access:
    """Owns clients and their keys."""

    def __init__(
        self, store: Store, *, key_hash: KeyHash, cipher: Cipher, clock: Clock, randomness: Randomness
    ) -> None:
        self._store = store
        self._key_hash = key_hash
        self._cipher = cipher
        self._clock = clock
        self._randomness = randomness

    async def authenticate(self, keys: Sequence[str]) -> list[Authenticated | None]:
        """Resolve each key, in order, with one read.

        Unknown, revoked, expired, disabled and malformed are one and the same None, for the same work.
        """
        key_ids = [parse_key(key) or NO_KEY_ID for key in keys]
        holders = await self._store.find_holders(list(dict.fromkeys(key_ids)))
        now = self._clock.now()
        opened = [
            self._open(key, key_id, holders.get(key_id), now=now) for key, key_id in zip(keys, key_ids, strict=True)
        ]
        self._note_use([key for key in opened if key is not None], now=now)
        return [None if key is None else self._authenticated(holders[key.key_id], now=now) for key in opened]

    async def create(self, *, name: str, settings: WantedSettings) -> Issued:
        """Make a client with its first key. InvalidClientError when its name or settings break a rule."""
        name, filled = parse_name(name), fill_settings(settings)
        client_id = make_client_id(self._randomness.draw(CLIENT_ID_RANDOM_BYTES))
        api_key, secret = self._draw_key(client_id), self._draw_secret(filled)
        client = self._first_client(client_id, name=name, settings=filled, api_key=api_key, secret=secret)
        await self._store.add(client)
        return Issued(client, api_key.text, secret)

    async def list_clients(self) -> list[Client]:
        """Give all clients by name, then id."""
        return await self._store.list_all()

    async def get(self, client_id: str) -> Client:
        """Give the client; ClientNotFoundError when there is none."""
        client = await self._store.find(_known(client_id))
        if client is None:
            raise ClientNotFoundError
        return client

    async def update(self, client_id: str, *, settings: WantedSettings | None, enabled: bool | None) -> Updated:
        """Replace the settings or the state; None leaves either as it is. InvalidClientError, ClientNotFoundError.

        A client of which signing is turned on while no key of it lives gets its secret with the next key.
        """
        client_id, filled = _known(client_id), None if settings is None else fill_settings(settings)
        secret, now = make_hmac_secret(self._randomness.draw(SECRET_RANDOM_BYTES)), self._clock.now()

        def decide(client: Client) -> Client:
            return update(
                client,
                settings=filled,
                enabled=enabled,
                seal=lambda key_id: self._seal(secret, client_id, key_id),
                now=now,
            )

        changed = _found(await self._store.change(client_id, decide))
        turned_on = changed.after.settings.hmac and not changed.before.settings.hmac
        return Updated(changed.after, secret if turned_on and changed.after.live_keys(now) else "")

    async def rotate(self, client_id: str, *, overlap: timedelta | None) -> Issued:
        """Make a new key; the old one ends after the overlap, 24 h for None. ClientNotFoundError, TwoKeysLiveError."""
        client_id, now = _known(client_id), self._clock.now()
        api_key, secret = self._draw_key(client_id), make_hmac_secret(self._randomness.draw(SECRET_RANDOM_BYTES))

        def decide(client: Client) -> Client:
            key = self._key(client_id, api_key, secret=secret if client.settings.hmac else "", now=now)
            return rotate(client, key=key, overlap=DEFAULT_OVERLAP if overlap is None else overlap, now=now)

        client = _found(await self._store.change(client_id, decide)).after
        return Issued(client, api_key.text, secret if client.settings.hmac else "")

    async def revoke(self, client_id: str, *, key_id: str) -> Client:
        """End the key, or every key when the id is empty, at once. Raises ClientNotFoundError, KeyNotFoundError."""
        client_id, now = _known(client_id), self._clock.now()
        ended = parse_key_id(key_id)
        if key_id and ended is None:
            raise KeyNotFoundError
        return _found(await self._store.change(client_id, lambda client: revoke(client, key_id=ended, now=now))).after

    async def bootstrap(self, file: CredentialsFile) -> bool:
        """Give a hub without clients its first two; False when it has clients.

        The file is on disk before the clients are, and one that is there is not replaced: killed between any two steps
        and started again, this ends with a file whose keys open. Of replicas that begin at once and have a file each,
        the one whose keys open keeps its own.
        """
        if await self._store.list_all():
            return False
        drawn = Credentials(admin=self._draw_key(ADMIN_ID), client=self._draw_key(FIRST_CLIENT_ID))
        credentials = file.keep(drawn)
        if await self._store.add_first(self._first_clients(credentials)):
            return True
        if credentials is drawn and not await self._is_of_admin(drawn.admin):
            file.forget()
        return False

    async def _is_of_admin(self, api_key: ApiKey) -> bool:
        admin, digest = await self._store.find(ADMIN_ID), self._key_hash.digest(api_key.text)
        return admin is not None and any(compare_digest(digest, key.digest) for key in admin.keys)

    def _first_clients(self, credentials: Credentials) -> list[Client]:
        return [
            self._first_client(ADMIN_ID, name="Administrator", settings=ADMIN_SETTINGS, api_key=credentials.admin),
            self._first_client(
                FIRST_CLIENT_ID, name="Default", settings=FIRST_CLIENT_SETTINGS, api_key=credentials.client
            ),
        ]

    def _open(self, text: str, key_id: KeyId, holder: Client | None, *, now: datetime) -> Key | None:
        stored = None if holder is None else holder.key(key_id)
        same = compare_digest(self._key_hash.digest(text), _NO_DIGEST if stored is None else stored.digest)
        if stored is None or holder is None or not same or not holder.enabled or not stored.is_live(now):
            return None
        return stored

    def _authenticated(self, client: Client, *, now: datetime) -> Authenticated:
        sealed = [(key.key_id, key.sealed_secret) for key in client.live_keys(now) if key.sealed_secret is not None]
        secrets = (self._cipher.unseal(text, client_id=client.client_id, key_id=key_id) for key_id, text in sealed)
        return Authenticated(client, tuple(dict.fromkeys(secrets)))

    def _note_use(self, keys: Sequence[Key], *, now: datetime) -> None:
        stale = {key.key_id for key in keys if key.last_used_at is None or now - key.last_used_at >= USE_GRAIN}
        if stale:
            self._store.note_use(sorted(stale), at=now)

    def _first_client(
        self, client_id: ClientId, *, name: str, settings: ClientSettings, api_key: ApiKey, secret: str = ""
    ) -> Client:
        now = self._clock.now()
        key = self._key(client_id, api_key, secret=secret, now=now)
        return Client(client_id=client_id, name=name, settings=settings, enabled=True, created_at=now, keys=(key,))

    def _key(self, client_id: ClientId, api_key: ApiKey, *, secret: str, now: datetime) -> Key:
        sealed = self._seal(secret, client_id, api_key.key_id) if secret else None
        return Key(
            key_id=api_key.key_id, digest=self._key_hash.digest(api_key.text), sealed_secret=sealed, created_at=now
        )

    def _seal(self, secret: str, client_id: ClientId, key_id: KeyId) -> bytes:
        return self._cipher.seal(secret, client_id=client_id, key_id=key_id)

    def _draw_key(self, client_id: ClientId) -> ApiKey:
        return make_key(self._randomness.draw(KEY_RANDOM_BYTES), client_id=client_id)

    def _draw_secret(self, settings: ClientSettings) -> str:
        return make_hmac_secret(self._randomness.draw(SECRET_RANDOM_BYTES)) if settings.hmac else ""


async def prove_keys(proofs: KeyProofs, fingerprints: Mapping[str, bytes]) -> None:
    """Compare the operator's keys with those the stored data was made with; the first are remembered.

    OperatorKeyChangedError when one differs: another pepper would silently refuse every API key.
    """
    for purpose, fingerprint in fingerprints.items():
        if not compare_digest(await proofs.remember(purpose, fingerprint), fingerprint):
            raise OperatorKeyChangedError(purpose)


def _known(client_id: str) -> ClientId:
    known = parse_client_id(client_id)
    if known is None:
        raise ClientNotFoundError
    return known


def _found(changed: Changed | None) -> Changed:
    if changed is None:
        raise ClientNotFoundError
    return changed
