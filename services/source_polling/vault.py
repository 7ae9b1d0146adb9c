"""Secrets of sources, sealed under the operator's master key."""

import secrets

from typing_extensions import override

from libs.sealing import Seal, WrongKeyError
from services.source_polling.domain.source import SourceId
from services.source_polling.ports.surroundings import Cipher


class WrongMasterKeyError(Exception):
    """A secret was sealed under another key, or for another source."""

    def __init__(self, source_id: SourceId) -> None:
        super().__init__(
            f"CONTACTSYNC_MASTER_KEY_FILE holds another key than the secrets of {source_id} were sealed with. "
            "Put that one back; nothing was changed."
        )
        self.source_id = source_id


class Vault(Cipher):
    """Binds each secret to its source."""

    def __init__(self, master_key: bytes) -> None:
        """`master_key` has exactly 32 bytes."""
        self._seal = Seal(master_key, purpose="contactsync.source_polling/credentials", random=secrets.token_bytes)

    @override
    def seal(self, secret: str, *, source_id: SourceId) -> bytes:
        """Seal for this source alone."""
        return self._seal.seal(secret, source_id)

    @override
    def unseal(self, sealed: bytes, *, source_id: SourceId) -> str:
        """Give the secret; WrongMasterKeyError when it was not sealed so."""
        try:
            return self._seal.unseal(sealed, source_id)
        except WrongKeyError:
            raise WrongMasterKeyError(source_id) from None
