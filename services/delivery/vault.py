"""Secrets of destinations, sealed under the operator's master key."""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from typing_extensions import override

from services.delivery.domain.destination import DestinationId
from services.delivery.ports import Cipher

_VERSION = b"\x01"
_NONCE_BYTES = 12


class WrongMasterKeyError(Exception):
    """A secret was sealed under another key, or for another destination."""

    def __init__(self, destination_id: DestinationId) -> None:
        super().__init__(
            f"CONTACTSYNC_MASTER_KEY_FILE holds another key than the secret of {destination_id} was sealed with. "
            "Put that one back; nothing was changed."
        )
        self.destination_id = destination_id


class Vault(Cipher):
    """AES-256-GCM with the destination and the purpose bound in: version byte, nonce of 12 bytes, sealed text."""

    def __init__(self, master_key: bytes) -> None:
        """`master_key` has exactly 32 bytes."""
        self._aes = AESGCM(master_key)

    @override
    def seal(self, secret: str, *, destination_id: DestinationId) -> bytes:
        """Seal under a nonce of its own."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _VERSION + nonce + self._aes.encrypt(nonce, secret.encode(), _bound(destination_id))

    @override
    def unseal(self, sealed: bytes, *, destination_id: DestinationId) -> str:
        """Give the secret; WrongMasterKeyError when it was not sealed so."""
        start = len(_VERSION)
        nonce, text = sealed[start : start + _NONCE_BYTES], sealed[start + _NONCE_BYTES :]
        try:
            return self._aes.decrypt(nonce, text, _bound(destination_id)).decode()
        except InvalidTag:
            raise WrongMasterKeyError(destination_id) from None


def _bound(destination_id: DestinationId) -> bytes:
    """No id holds a NUL, so no two pairs read alike."""
    return destination_id.encode() + b"\x00contactsync.delivery/webhook_secret"
