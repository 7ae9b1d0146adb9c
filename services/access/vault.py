"""The operator's keys at work: API keys hashed under the pepper, signing secrets sealed under the master key."""

import hmac

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.access.domain.client import ClientId
from services.access.domain.key import KeyId
from services.access.ports import Randomness

_VERSION = b"\x01"
_NONCE_BYTES = 12


def fingerprint(key: bytes, purpose: str) -> bytes:
    """Give 32 bytes that tell this key from another and tell nothing else of it."""
    return hmac.digest(key, b"contactsync.access/fingerprint/" + purpose.encode(), "sha256")


class PepperedHash:
    """HMAC-SHA-256 under the pepper. Keys hold 256 random bits, so no slow hash is needed."""

    def __init__(self, pepper: bytes) -> None:
        self._pepper = pepper

    def digest(self, key: str) -> bytes:
        """Give the 32 bytes that may be stored of the key."""
        return hmac.digest(self._pepper, key.encode(), "sha256")


class AesGcmCipher:
    """AES-256-GCM with the client, the key and the purpose bound in: version byte, nonce of 12 bytes, sealed text."""

    def __init__(self, master_key: bytes, *, randomness: Randomness) -> None:
        """`master_key` has exactly 32 bytes."""
        self._aes = AESGCM(master_key)
        self._randomness = randomness

    def seal(self, secret: str, *, client_id: ClientId, key_id: KeyId) -> bytes:
        """Seal under a nonce of its own."""
        nonce = self._randomness.draw(_NONCE_BYTES)
        return _VERSION + nonce + self._aes.encrypt(nonce, secret.encode(), _bound(client_id, key_id))

    def unseal(self, sealed: bytes, *, client_id: ClientId, key_id: KeyId) -> str:
        """Give the secret; cryptography.exceptions.InvalidTag when it was not sealed so."""
        start = len(_VERSION)
        nonce, text = sealed[start : start + _NONCE_BYTES], sealed[start + _NONCE_BYTES :]
        return self._aes.decrypt(nonce, text, _bound(client_id, key_id)).decode()


def _bound(client_id: ClientId, key_id: KeyId) -> bytes:
    """No id holds a NUL, so no two triples read alike."""
    return b"\x00".join((client_id.encode(), key_id.encode(), b"contactsync.access/hmac_secret"))
