"""What else the handlers need of the world."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from services.source_polling.domain.record import SourceRecord
from services.source_polling.domain.source import Source, SourceId


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Give the time with its zone."""
        ...


class Alarm(Protocol):
    """Wakes the poller."""

    def ring(self) -> None:
        """Look for runs that are due."""
        ...


class UrlGuard(Protocol):
    """Where the hub may call."""

    async def objection(self, url: str) -> str | None:
        """Say why the URL may not be called. None: it may be, as far as is known now."""
        ...


class CronLines(Protocol):
    """Who understands cron lines."""

    def next(self, line: str, after: datetime) -> datetime:
        """Give the first time behind another that the line names; in UTC."""
        ...

    def flaw(self, line: str) -> str | None:
        """Say what is wrong with a line. None: nothing."""
        ...


class Cipher(Protocol):
    """Keeps secrets of sources unreadable on disk."""

    def seal(self, secret: str, *, source_id: SourceId) -> bytes:
        """Seal for this source alone."""
        ...

    def unseal(self, sealed: bytes, *, source_id: SourceId) -> str:
        """Give the secret. Raises when it was not sealed so."""
        ...


Fingerprints = Callable[[Source], Callable[[SourceRecord], tuple[bytes, bytes]]]
"""How contacts of a source are hashed (domain.fingerprint): keyed, so that nothing can be guessed from it. Gives the
hash and the text that it is of."""
Chance = Callable[[], float]
"""A random number in [0, 1)."""
RandomBytes = Callable[[int], bytes]
"""That many unpredictable bytes."""
