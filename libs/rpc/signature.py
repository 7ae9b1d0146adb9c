"""Request signatures of API clients (import-api.txt, "HMAC Signature")."""

import hmac
import re
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=5)
"""How far a timestamp may be from now, either way."""

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_HEX = re.compile(r"[0-9a-fA-F]{64}")
_KEPT = 200_000


def read_timestamp(text: str) -> datetime | None:
    """An RFC 3339 time with its zone, as `datetime.isoformat()` and `toISOString()` write it. None: it is none."""
    if not _RFC3339.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:  # the 31st of June, or a leap second
        return None


def is_signed(*, secrets: Sequence[bytes], timestamp: str, body: bytes, signature: str) -> bool:
    r"""True: hex(HMAC-SHA256(secret, timestamp + "\n" + body)) is the signature under one of the secrets.

    Both cases of hex count.
    """
    if not _HEX.fullmatch(signature):
        return False
    given = bytes.fromhex(signature)
    # Every secret is tried, so that the time does not tell which one matched.
    return sum(hmac.compare_digest(_digest(secret, timestamp, body), given) for secret in secrets) > 0


def _digest(secret: bytes, timestamp: str, body: bytes) -> bytes:
    mac = hmac.new(secret, f"{timestamp}\n".encode(), "sha256")
    mac.update(body)
    return mac.digest()


class SeenSignatures:
    """Signatures of the last window, so that a captured request cannot be sent again.

    The same request under the same idempotency key is a repeat, and passes. Kept in memory, at most 200,000 of them:
    after a restart, or on another replica, one repeat may pass, and idempotency keys still hold.
    """

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, str], tuple[float, str]] = OrderedDict()

    def admit(self, *, client_id: str, signature: str, idempotency_key: str, now: float) -> bool:
        """False: seen before, and not under this key. `idempotency_key` is "" when none was given; `now` is seconds."""
        self._forget(now)
        asked = (client_id, signature.lower())
        seen = self._seen.get(asked)
        if seen is not None:
            return seen[1] == idempotency_key != ""
        self._seen[asked] = (now + 2 * WINDOW.total_seconds(), idempotency_key)
        return True

    def _forget(self, now: float) -> None:
        """Drops what has left the window: up to two windows after it was seen, as a timestamp may lie one ahead."""
        while self._seen:
            until, _ = next(iter(self._seen.values()))
            if until > now and len(self._seen) < _KEPT:
                return
            self._seen.popitem(last=False)
