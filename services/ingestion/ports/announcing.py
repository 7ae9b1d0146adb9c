from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from services.ingestion.domain.ids import JobId
from services.ingestion.domain.outcome import TicketRef


class Announcer(Protocol):
    """Makes deliveries known to delivery, some time soon; what gets lost on the way comes again from the outbox."""

    def announce(self, tickets: Sequence[TicketRef]) -> None:
        """Never blocks and never fails."""
        ...


class Changes(Protocol):
    """Tells those who watch a job that it changed."""

    def ring(self, jobs: Sequence[JobId]) -> None:
        """Wakes everyone who watches one of them."""
        ...

    def watch(self, job: JobId) -> AbstractContextManager[Callable[[], Awaitable[None]]]:
        """Watches a job until left; each call waits for the next change since the last one, or some seconds."""
        ...
