"""Secrets that must be read again."""

from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = b"\x01"
_NONCE_BYTES = 12


class WrongKeyError(Exception):
    """It was sealed under another key, for another owner, or was changed since."""


class Seal:
    """AES-256-GCM with the purpose and the owner bound in: version byte, nonce of 12 bytes, sealed text."""

    def __init__(self, master_key: bytes, *, purpose: str, random: Callable[[int], bytes]) -> None:
        """`master_key` has exactly 32 bytes; `random` gives that many unpredictable ones."""
        self._aes = AESGCM(master_key)
        self._purpose = purpose.encode()
        self._random = random

    def seal(self, secret: str, *owner: str) -> bytes:
        """Seal for this owner alone, under a nonce of its own."""
        nonce = self._random(_NONCE_BYTES)
        return _VERSION + nonce + self._aes.encrypt(nonce, secret.encode(), self._bound(owner))

    def unseal(self, sealed: bytes, *owner: str) -> str:
        """Give the secret; WrongKeyError when it was not sealed so."""
        start = len(_VERSION)
        nonce, text = sealed[start : start + _NONCE_BYTES], sealed[start + _NONCE_BYTES :]
        try:
            return self._aes.decrypt(nonce, text, self._bound(owner)).decode()
        except InvalidTag:
            raise WrongKeyError from None

    def _bound(self, owner: tuple[str, ...]) -> bytes:
        """No id holds a NUL, so no two owners read alike."""
        return b"\x00".join((*(each.encode() for each in owner), self._purpose))
