"""Cron lines, as Debian's cron reads them, in UTC."""

from datetime import UTC, datetime, timedelta

from cronsim import CronSim, CronSimError
from typing_extensions import override

from services.source_polling.ports.surroundings import CronLines

_NEVER = timedelta(days=366 * 50)
"""For a line that names no time, as the 31st of February: farther off than anyone looks."""


class Almanac(CronLines):
    """By cronsim."""

    @override
    def next(self, line: str, after: datetime) -> datetime:
        """Give the next time."""
        return next(CronSim(line, after.astimezone(UTC)), after + _NEVER)

    @override
    def flaw(self, line: str) -> str | None:
        """Say what is wrong with it."""
        try:
            now = datetime.now(UTC)
            return None if self.next(line, now) < now + _NEVER else "names no time at all"
        except CronSimError as error:
            return f"is not a cron line of five fields: {error}"
