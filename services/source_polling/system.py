"""The machine's own clock."""

from datetime import UTC, datetime

from typing_extensions import override

from services.source_polling.ports.surroundings import Clock


class SystemClock(Clock):
    """Wall-clock time, in UTC."""

    @override
    def now(self) -> datetime:
        """Give the time now."""
        return datetime.now(UTC)
