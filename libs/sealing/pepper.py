"""Keys that are only ever compared."""

import hmac


class PepperedHash:
    """HMAC-SHA-256 under the pepper. Keys hold 256 random bits, so no slow hash is needed."""

    def __init__(self, pepper: bytes) -> None:
        self._pepper = pepper

    def digest(self, key: str) -> bytes:
        """Give the 32 bytes that may be stored of the key."""
        return hmac.digest(self._pepper, key.encode(), "sha256")
