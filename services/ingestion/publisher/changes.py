import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import timedelta

from services.ingestion.domain.ids import JobId


class LocalChanges:
    """Wakes those in this process who watch a job.

    A change made by another replica is seen when the wait ends by itself, after the interval.
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
        watcher = asyncio.Event()
        self._watchers.setdefault(job, set()).add(watcher)
        try:
            yield lambda: self._changed(watcher)
        finally:
            self._forget(job, watcher)

    def _forget(self, job: JobId, watcher: asyncio.Event) -> None:
        watchers = self._watchers[job]
        watchers.discard(watcher)
        if not watchers:
            del self._watchers[job]

    async def _changed(self, watcher: asyncio.Event) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._interval):
                await watcher.wait()
        watcher.clear()
