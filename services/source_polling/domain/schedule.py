"""When a source is run by itself."""

from collections.abc import Callable
from datetime import datetime, timedelta

from services.source_polling.domain.source import Schedule

JITTER_SHARE = 0.1
MOST_JITTER = timedelta(minutes=5)
"""Sources made together need not run together; nobody counts on the minute of an interval."""

SOON = timedelta(minutes=15)
"""A run that failed is tried again so soon, and not after a day: its source may only have been away."""

Almanac = Callable[[str, datetime], datetime]
"""The first time behind another that a cron line names."""


def next_run(schedule: Schedule, almanac: Almanac, *, now: datetime, chance: float) -> datetime:
    """Say when the source runs next after it ran at `now`; `chance` is in [0, 1). Missed ticks are one: the next."""
    if schedule.cron:
        return almanac(schedule.cron, now)
    return now + schedule.interval + min(schedule.interval * JITTER_SHARE, MOST_JITTER) * chance


def mended(planned: datetime, schedule: Schedule, almanac: Almanac, *, now: datetime) -> datetime:
    """Give the planned time, or a sooner one: a clock that was set back leaves plans farther off than any schedule."""
    if schedule.cron:
        return min(planned, almanac(schedule.cron, now))
    farthest = now + schedule.interval + min(schedule.interval * JITTER_SHARE, MOST_JITTER)
    return planned if planned <= farthest else now + schedule.interval
