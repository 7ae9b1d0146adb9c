"""The machine's own clock and randomness."""

import uuid
from datetime import UTC, datetime

from services.idempotency.domain import JobId


class SystemClock:
    """Wall-clock time, in UTC."""

    def now(self) -> datetime:
        """The time now."""
        return datetime.now(UTC)


class RandomJobIds:
    """UUIDv4, from the operating system's generator."""

    def draw(self) -> JobId:
        """A new one."""
        return JobId(str(uuid.uuid4()))
