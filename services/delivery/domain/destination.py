"""Where contacts go, and when a failed delivery is tried again."""

import base64
import binascii
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from services.delivery.domain.errors import InvalidDestinationError, Violation

DestinationId = NewType("DestinationId", str)

DIRECTORY = DestinationId("directory")
"""The built-in contact book: always there."""

GROWTH = 14
"""Each delay is bounded by fourteen times the one before: 5 s, 70 s, 16 min, 3.8 h, then 8 h. The first tries are soon
enough for a receiver that restarts; eight of them outlast a bad day (28 h)."""

SECRET_BYTES = 32
_PREFIX = "whsec_"


class DestinationKind(StrEnum):
    """What a destination is."""

    DIRECTORY = "directory"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrySchedule:
    """When a delivery is tried again, and how long one try may take."""

    first_delay: timedelta = timedelta(seconds=5)
    max_delay: timedelta = timedelta(hours=8)
    max_attempts: int = 8
    timeout: timedelta = timedelta(seconds=15)

    def delay(self, tries: int, *, chance: float, retry_after: timedelta | None = None) -> timedelta:
        """Return the pause after the given number of tries (from 1): full jitter, `chance` in [0, 1) of the bound.

        Never sooner than the receiver asked by `retry_after`, and never later than `max_delay`.
        """
        asked = max(retry_after or timedelta(0), self._bound(tries) * chance)
        return min(asked, self.max_delay)

    def _bound(self, tries: int) -> timedelta:
        growth = min(float(GROWTH) ** (tries - 1), 1e9)
        seconds = self.first_delay.total_seconds() * growth
        return timedelta(seconds=min(seconds, self.max_delay.total_seconds()))


DEFAULT_RETRY = RetrySchedule()
BOOK_RETRY = RetrySchedule(max_delay=timedelta(minutes=10), max_attempts=100)
"""The contact book is a part of the hub. When it is back it is back for everyone, so nothing waits for hours; and it is
not given up on before somebody could mend it (8 h)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A place that takes contacts. `url` and `secret` are empty for the directory."""

    destination_id: DestinationId
    name: str
    kind: DestinationKind
    created_at: datetime
    url: str = ""
    secret: str = field(default="", repr=False)
    retry: RetrySchedule = DEFAULT_RETRY
    paused: bool = False
    idempotent: bool = True
    """Whether it takes a delivery id twice as once. If not, a delivery whose answer was lost is not sent again."""


def directory(*, now: datetime) -> Destination:
    """Return the built-in contact book as it is on the first start."""
    return Destination(
        destination_id=DIRECTORY, name=DIRECTORY, kind=DestinationKind.DIRECTORY, created_at=now, retry=BOOK_RETRY
    )


def make_destination_id(random: bytes) -> DestinationId:
    """Write an id from exactly 10 unpredictable bytes; ValueError for any other number."""
    if len(random) != 10:
        raise ValueError("a destination id is made of 10 bytes")
    return DestinationId("dest-" + base64.b32encode(random).decode().lower())


def make_secret(random: bytes) -> str:
    """Write a signing secret in the form of Standard Webhooks from `SECRET_BYTES` unpredictable bytes."""
    return _PREFIX + base64.b64encode(random).decode()


def signing_key(secret: str) -> bytes:
    """Return the bytes that sign: what `whsec_` precedes is base64, any other text is taken as it is."""
    if secret.startswith(_PREFIX):
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    return secret.encode()


def parse_secret(text: str) -> str:
    """Give the text if it can sign; InvalidDestinationError for broken base64 or a key of fewer than 16 bytes."""
    try:
        long_enough = len(signing_key(text)) >= 16
    except binascii.Error:
        long_enough = False
    if not long_enough:
        raise InvalidDestinationError(
            Violation("/secret", "bad_secret", "must be whsec_ and base64, or any text, of at least 16 bytes")
        )
    return text
