"""The machine's own clock and randomness."""

import secrets
from datetime import UTC, datetime


class SystemClock:
    """Wall-clock time, in UTC."""

    def now(self) -> datetime:
        """Give the time now."""
        return datetime.now(UTC)


class SystemRandomness:
    """The operating system's generator for keys."""

    def draw(self, count: int) -> bytes:
        """Give that many unpredictable bytes."""
        return secrets.token_bytes(count)
