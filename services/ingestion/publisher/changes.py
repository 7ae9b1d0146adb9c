import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import timedelta

from services.ingestion.domain.ids import JobId

FIRST_LOOK = timedelta(milliseconds=250)
"""Most jobs end within a second: the first looks follow each other soon, each pause being twice the last one."""


class LocalChanges:
    """Wakes those in this process who watch a job.

    A change made by another replica is seen when the wait ends by itself, after the interval at most.
    """

    def __init__(self, *, interval: timedelta = timedelta(seconds=5)) -> None:
        self._interval = interval.total_seconds()
        self._watchers: dict[JobId, set[asyncio.Event]] = {}

    def ring(self, jobs: Sequence[JobId]) -> None:
        """Wakes everyone who watches one of them."""
        if self._watchers:
            for job in jobs:
                for watcher in self._watchers.get(job, ()):
                    watcher.set()

    @contextlib.contextmanager
    def watch(self, job: JobId) -> Iterator[Callable[[], Awaitable[None]]]:
        """Watches a job until left."""
        watcher, pauses = asyncio.Event(), self._pauses()
        self._watchers.setdefault(job, set()).add(watcher)
        try:
            yield lambda: self._changed(watcher, next(pauses))
        finally:
            self._forget(job, watcher)

    def _pauses(self) -> Iterator[float]:
        pause = FIRST_LOOK.total_seconds()
        while True:
            yield pause
            pause = min(2 * pause, self._interval)

    def _forget(self, job: JobId, watcher: asyncio.Event) -> None:
        watchers = self._watchers[job]
        watchers.discard(watcher)
        if not watchers:
            del self._watchers[job]

    @staticmethod
    async def _changed(watcher: asyncio.Event, pause: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await watcher.wait()
        watcher.clear()
