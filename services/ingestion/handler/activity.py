from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from services.ingestion.domain.activity import MINUTE, MinuteActivity, minute_of
from services.ingestion.ports.store import Activity, OutboxWatch
from services.ingestion.ports.time import Clock

_SETTLED_AFTER = timedelta(minutes=2)
"""A job may be committed so long after it was accepted."""
_AT_ONCE = 10
_KEPT = 400


class TellActivity:
    """Tells what came in of late. A minute that is over is counted once, so that looking often costs little."""

    def __init__(self, *, activity: Activity, outbox: OutboxWatch, clock: Clock) -> None:
        self._activity = activity
        self._outbox = outbox
        self._clock = clock
        self._settled: dict[datetime, MinuteActivity] = {}

    async def tell(self, *, minutes: int) -> Sequence[MinuteActivity]:
        """The last minutes, oldest first, the one that runs included."""
        now = self._clock()
        last = minute_of(now)
        wanted = [last - MINUTE * back for back in reversed(range(minutes))]
        counted: dict[datetime, MinuteActivity] = {}
        for since, until in _stretches([each for each in wanted if each not in self._settled]):
            counted |= await self._count(since, until, now)
        known = self._settled | counted
        self._settled = {at: self._settled[at] for at in sorted(self._settled)[-_KEPT:]}
        return [known[each] for each in wanted]

    async def unfinished(self) -> int:
        """Deliveries that may go out and are not done."""
        return (await self._outbox.depth()).unfinished

    async def _count(self, since: datetime, until: datetime, now: datetime) -> dict[datetime, MinuteActivity]:
        found = {each.started_at: each for each in await self._activity.activity(since, until)}
        minutes = [since + MINUTE * place for place in range((until - since) // MINUTE)]
        counted = {at: found.get(at) or MinuteActivity(started_at=at) for at in minutes}
        self._settled |= {at: each for at, each in counted.items() if at + MINUTE + _SETTLED_AFTER <= now}
        return counted


def _stretches(minutes: Sequence[datetime]) -> Iterator[tuple[datetime, datetime]]:
    """Minutes that follow each other, so many at once at most: where a stretch begins, and where it has ended."""
    begun = 0
    for place, at in enumerate(minutes):
        is_last = place + 1 == len(minutes) or minutes[place + 1] != at + MINUTE
        if is_last or place - begun + 1 == _AT_ONCE:
            yield minutes[begun], at + MINUTE
            begun = place + 1
