"""Where contacts go, and when a failed delivery is tried again."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType, assert_never

from services.delivery.domain.errors import InvalidDestinationError, Violation
from services.delivery.domain.success import ANY_2XX, SuccessRule
from services.delivery.domain.tags import EVERYONE, TagFilter

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
    TELECRM = "telecrm"
    """A telecrm workspace, by its Sync API."""
    CONNECT = "connect"
    """A connect workspace, by its contacts API."""


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


WHOLE_CHUNK = 1000
"""As many rows as a chunk can have."""
CALLS_PER_PART = 50
"""Rows of a part where each row is a call or more of its own."""
DEFAULT_CONCURRENCY = 16
MEND = "Mend its access, then resume it."
"""Ends the reason of every pause that is the hub's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What opens a destination. Never shown, and sealed at rest; empty for a kind that does not use it."""

    token: str = field(default="", repr=False)
    """telecrm: of its Sync API."""
    api_key: str = field(default="", repr=False)
    """connect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A place that takes contacts. `url` and `secrets` are empty for the directory."""

    destination_id: DestinationId
    name: str
    kind: DestinationKind
    created_at: datetime
    url: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """What signs a webhook's requests, newest first."""
    old_secrets_until: datetime | None = None
    """Until when all but the newest sign too. None: they no longer do, or there is one."""
    credentials: Credentials = Credentials()
    enterprise_id: str = ""
    """telecrm: the workspace."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Sent with every request, beside the hub's own. They may hold credentials: never shown, and sealed at rest."""
    retry: RetrySchedule = DEFAULT_RETRY
    chunk_size: int = WHOLE_CHUNK
    """The most rows of one part."""
    concurrency: int = DEFAULT_CONCURRENCY
    """Parts under way at once."""
    rate: float = 0.0
    """Parts begun per second. 0: as many as go."""
    tags: TagFilter = EVERYONE
    success: SuccessRule = ANY_2XX
    fields: Mapping[str, str] = field(default_factory=dict)
    """Source field to target field. Empty: by the same name in any of the usual spellings."""
    lead_status: str = ""
    """connect: the label that a new lead gets. Empty: none."""
    paused: bool = False
    pause_reason: str = ""
    """Why, when the hub paused it itself or the operator said so. Empty when it is not paused."""
    resuming: bool = False
    """It is no longer paused, and older versions of contacts are still being taken out of what waited for it."""
    idempotent: bool = True
    """Whether it takes a delivery id twice as once. If not, a delivery whose answer was lost is not sent again."""

    @property
    def is_paused_by_hub(self) -> bool:
        """It denied the hub so often that the hub stopped asking."""
        return self.paused and self.pause_reason.endswith(MEND)

    @property
    def is_held(self) -> bool:
        """Whether nothing is sent to it now, whatever is due."""
        return self.paused or self.resuming

    @property
    def part_timeout(self) -> timedelta:
        """How long the sending of one part may take: where each row is a call of its own, four times that of a call."""
        row_by_row = self.kind in {DestinationKind.TELECRM, DestinationKind.CONNECT}
        return self.retry.timeout * 4 if row_by_row else self.retry.timeout

    def signing_secrets(self, *, at: datetime) -> tuple[str, ...]:
        """Give the secrets that sign a request begun then, newest first."""
        overlaps = self.old_secrets_until is not None and at < self.old_secrets_until
        return self.secrets if overlaps else self.secrets[:1]


def default_chunk_size(kind: DestinationKind) -> int:
    """Give the most rows of one part unless the operator says otherwise."""
    match kind:
        case DestinationKind.DIRECTORY | DestinationKind.WEBHOOK:
            return WHOLE_CHUNK
        case DestinationKind.TELECRM | DestinationKind.CONNECT:
            return CALLS_PER_PART
        case unreachable:
            assert_never(unreachable)


def default_concurrency(kind: DestinationKind) -> int:
    """Give the parts under way at once unless the operator says otherwise: one of many calls counts for many."""
    return 2 if default_chunk_size(kind) == CALLS_PER_PART else DEFAULT_CONCURRENCY


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
    """Give the text if it can sign; InvalidDestinationError for broken base64 or an empty key.

    How long it is the receiver decides, who may be older than the hub. The hub's own have 32 random bytes.
    """
    try:
        can_sign = bool(signing_key(text))
    except binascii.Error:
        can_sign = False
    if not can_sign:
        raise InvalidDestinationError(Violation("/secret", "bad_secret", "must be whsec_ and base64, or any text"))
    return text
