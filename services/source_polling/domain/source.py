"""Where contacts are fetched from, and how."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

SourceId = NewType("SourceId", str)


class SourceKind(StrEnum):
    """What a source is."""

    CUSTOM = "custom"
    CONNECT = "connect"
    TELECRM = "telecrm"

    @property
    def tells_changes(self) -> bool:
        """It can be asked for what changed since a time. The others are read whole and compared."""
        return self is SourceKind.CUSTOM

    @property
    def may_shift(self) -> bool:
        """Its pages are counted off a list: what is deleted while it is read pulls others past the reader."""
        return self is SourceKind.CUSTOM

    @property
    def may_echo(self) -> bool:
        """The hub also delivers to systems of this kind, so a change there may be its own."""
        return self is not SourceKind.CUSTOM


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often one page is asked for when the source fails, and how long one question may take."""

    first_delay: timedelta = timedelta(milliseconds=500)
    max_delay: timedelta = timedelta(seconds=30)
    max_attempts: int = 5
    timeout: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What the source is called with; empty where its kind needs none."""

    client_id: str = ""
    """custom: the user of Basic authentication."""
    client_secret: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    """telecrm: a Sync token."""
    api_key: str = field(default="", repr=False)
    """connect: X-Api-Key."""
    enterprise_id: str = ""
    """telecrm: the workspace there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a source is run by itself: by cron when that is given (five fields, UTC), else from start to start."""

    interval: timedelta = timedelta(hours=24)
    cron: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fuse:
    """A run that would delete more than both is held."""

    share: float = 0.2
    """Of the contacts known before the run, 0 to 1."""
    count: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A system whose contacts the hub fetches."""

    source_id: SourceId
    name: str
    kind: SourceKind
    url: str
    """http or https, as the operator gave it; a slash at its end means nothing."""
    credentials: Credentials
    workspace_id: str
    """Where in the contact book its contacts land. Empty: the first workspace."""
    created_at: datetime
    destination_ids: tuple[str, ...] = ()
    """Empty: the contact book."""
    default_region: str = ""
    """Of national phone numbers, ISO 3166-1 alpha-2. Empty: RU."""
    page_size: int = 100
    """Contacts a page, 1 to 1000."""
    max_pages: int = 10_000
    """A run that needs more is stopped as stuck."""
    rate: float = 0.0
    """Questions a second, at most. 0: no bound."""
    retry: Retry = Retry()
    schedule: Schedule = Schedule()
    fuse: Fuse = Fuse()
    enabled: bool = True
    """False: it is not run by itself."""
    next_run_at: datetime | None = None
    """When it is run by itself next. None: it is not enabled."""
    cursor: datetime | None = None
    """Where the next delta begins. None: the next run is a full one."""

    @property
    def system(self) -> str:
        """Its URL as delivery tells systems apart: with the workspace of a telecrm, whether it was given or not."""
        base, path = self.url.rstrip("/"), f"/enterprise/{self.credentials.enterprise_id}"
        return base + path if self.kind is SourceKind.TELECRM and not base.endswith(path) else base


def make_source_id(random: bytes) -> SourceId:
    """Write an id from exactly 10 unpredictable bytes; ValueError for any other number."""
    if len(random) != 10:
        raise ValueError(len(random))
    return SourceId("src_" + _base32(random))


def make_run_number(random: bytes) -> str:
    """Write the random part of a run's id."""
    return _base32(random)


def _base32(random: bytes) -> str:
    alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
    number = int.from_bytes(random, "big")
    return "".join(alphabet[number >> shift & 31] for shift in range(0, len(random) * 8, 5))
