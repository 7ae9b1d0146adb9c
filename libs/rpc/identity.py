"""Which service is calling: a short-lived token under the key that the services of one hub share."""

import hmac
import re
import time
from collections.abc import Callable, Sequence
from typing import Protocol

SERVICE_HEADER = "x-contactsync-service"
LIFE_SECONDS = 60
_SKEW_SECONDS = 5
_REMEMBERED = 256
_TOKEN = re.compile(r"(v1\.([a-z][a-z0-9_]{0,63})\.([0-9]{1,12}))\.([0-9a-f]{64})")


class Shown(Protocol):
    """What a caller shows of itself with each call."""

    def shown(self) -> Sequence[tuple[str, str]]:
        """The metadata by which the call that is made now is judged."""
        ...


class Identity:
    """A service as it shows itself to others. A token lives 60 s and is used for its first half."""

    def __init__(self, name: str, key: bytes, *, now: Callable[[], float] = time.time) -> None:
        """`name` is the service's folder name, `key` the hub's service key of 32 bytes or more."""
        if len(key) < 32:
            raise ValueError("a service key has at least 32 bytes")
        self.name = name
        self._key = key
        self._now = now
        self._token = ""
        self._renew_at = 0.0
        self._verified: dict[str, tuple[str, int]] = {}

    def shown(self) -> Sequence[tuple[str, str]]:
        """The service's own token."""
        return ((SERVICE_HEADER, self.token()),)

    def token(self) -> str:
        """The value of `x-contactsync-service` for a call that is made now."""
        now = self._now()
        if not self._renew_at - LIFE_SECONDS <= now < self._renew_at:
            self._renew_at = now + LIFE_SECONDS / 2
            signed = f"v1.{self.name}.{int(now) + LIFE_SECONDS}"
            self._token = f"{signed}.{_seal(self._key, signed)}"
        return self._token

    def verify(self, token: str) -> str | None:
        """The name of the service that showed this token. None: forged, malformed, lapsed, or of too long a life."""
        # A token comes with every call of half a minute, and sealing costs 30 µs where it is not done in a row.
        known = self._verified.get(token) or self._read(token)
        if known is None:
            return None
        name, expiry = known
        left = expiry - self._now()
        return name if -_SKEW_SECONDS <= left <= LIFE_SECONDS + _SKEW_SECONDS else None

    def _read(self, token: str) -> tuple[str, int] | None:
        """Service and expiry of a token that is sealed under our key."""
        match = _TOKEN.fullmatch(token)
        if match is None:
            return None
        signed, name, expiry, seal = match.groups()
        if not hmac.compare_digest(_seal(self._key, signed), seal):
            return None
        if len(self._verified) >= _REMEMBERED:
            self._verified.clear()
        self._verified[token] = (name, int(expiry))
        return self._verified[token]


def _seal(key: bytes, signed: str) -> str:
    return hmac.digest(key, signed.encode(), "sha256").hex()
