"""Secrets of destinations, sealed under the operator's master key."""

import hmac
import secrets
from collections.abc import Callable

from typing_extensions import override

from libs.sealing import PepperedHash, Seal, WrongKeyError
from services.delivery.domain.destination import DestinationId
from services.delivery.ports import Cipher


class WrongMasterKeyError(Exception):
    """A secret was sealed under another key, or for another destination."""

    def __init__(self, destination_id: DestinationId) -> None:
        super().__init__(
            f"CONTACTSYNC_MASTER_KEY_FILE holds another key than the secret of {destination_id} was sealed with. "
            "Put that one back; nothing was changed."
        )
        self.destination_id = destination_id


def echo_digest(master_key: bytes) -> Callable[[str], bytes]:
    """Give the keyed hash in which values written to other systems are remembered."""
    return PepperedHash(hmac.digest(master_key, b"contactsync.delivery/echoes", "sha256")).digest


class Vault(Cipher):
    """Binds each secret to its destination."""

    def __init__(self, master_key: bytes, *, purpose: str = "webhook_secret") -> None:
        """`master_key` has exactly 32 bytes. What is sealed for one purpose is not unsealed for another."""
        self._seal = Seal(master_key, purpose=f"contactsync.delivery/{purpose}", random=secrets.token_bytes)

    @override
    def seal(self, secret: str, *, destination_id: DestinationId) -> bytes:
        """Seal for this destination alone."""
        return self._seal.seal(secret, destination_id)

    @override
    def unseal(self, sealed: bytes, *, destination_id: DestinationId) -> str:
        """Give the secret; WrongMasterKeyError when it was not sealed so."""
        try:
            return self._seal.unseal(sealed, destination_id)
        except WrongKeyError:
            raise WrongMasterKeyError(destination_id) from None
