"""The operator's keys at work: what tells one from another, and signing secrets sealed under the master key."""

import hmac

from libs.sealing import Seal
from services.access.domain.client import ClientId
from services.access.domain.key import KeyId
from services.access.ports import Randomness


def fingerprint(key: bytes, purpose: str) -> bytes:
    """Give 32 bytes that tell this key from another and tell nothing else of it."""
    return hmac.digest(key, b"contactsync.access/fingerprint/" + purpose.encode(), "sha256")


class AesGcmCipher:
    """Binds each secret to its client and key."""

    def __init__(self, master_key: bytes, *, randomness: Randomness) -> None:
        """`master_key` has exactly 32 bytes."""
        self._seal = Seal(master_key, purpose="contactsync.access/hmac_secret", random=randomness.draw)

    def seal(self, secret: str, *, client_id: ClientId, key_id: KeyId) -> bytes:
        """Seal for this client and key alone."""
        return self._seal.seal(secret, client_id, key_id)

    def unseal(self, sealed: bytes, *, client_id: ClientId, key_id: KeyId) -> str:
        """Give the secret; libs.sealing.WrongKeyError when it was not sealed so."""
        return self._seal.unseal(sealed, client_id, key_id)
