"""One reading of a source: where it stands, and what became of it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from services.source_polling.domain.source import Source, SourceId

RunId = NewType("RunId", str)


class RunStatus(StrEnum):
    """What became of a run."""

    RUNNING = "running"
    WAITING = "waiting"
    """Somebody asked for patience: it goes on at `due_at`."""
    COMPLETED = "completed"
    FAILED = "failed"
    HELD = "held"
    """Its additions are in; its deletes wait for a person."""


OPEN = frozenset({RunStatus.RUNNING, RunStatus.WAITING})
"""A source has at most one of these."""


class Phase(StrEnum):
    """What an open run does next."""

    READING = "reading"
    WEIGHING = "weighing"
    """Everything was read; what it has not seen is to be found out."""
    LOOKING_AGAIN = "looking again"
    """It reads everything once more, since what it has not seen may have moved from page to page while it read."""
    JUDGING = "judging"
    """Whether it may delete is to be decided."""
    DELETING = "deleting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a run counted."""

    pages: int = 0
    seen: int = 0
    """Changed, unchanged, echoes and skipped together."""
    changed: int = 0
    unchanged: int = 0
    echoes: int = 0
    skipped: int = 0
    deleted: int = 0
    held_deletes: int = 0
    tokens: int = 0
    retries: int = 0

    def plus(self, **more: int) -> "Tally":
        """The tally with these added."""
        return replace(self, **{name: getattr(self, name) + count for name, count in more.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run. What it has counted and where it stands change together, in one transaction with what they stand for."""

    run_id: RunId
    source_id: SourceId
    number: int
    """Counts the runs of its source, from 1: what it saw and what it would delete is marked with it."""
    full: bool
    started_at: datetime
    since: datetime | None = None
    status: RunStatus = RunStatus.RUNNING
    phase: Phase = Phase.READING
    page_cursor: str = ""
    """The page that comes next."""
    fingerprint: bytes = b""
    """Of the page before."""
    begun_at: datetime | None = None
    """Taken before the first page was asked for: where the next delta begins. None: nothing was asked for yet."""
    known: int = 0
    """Contacts that were known of the source before the run."""
    parcels: int = 0
    """How many parcels it has made."""
    tally: Tally = Tally()
    due_at: datetime | None = None
    """When it may go on. None: it has ended."""
    ended_at: datetime | None = None
    message: str = ""
    holder: str = ""
    """Who runs it. Empty: nobody."""
    leased_until: datetime | None = None
    fence: int = 0
    """Grows with every holder: an older one's writes are refused."""

    @property
    def is_open(self) -> bool:
        """It goes on, or will."""
        return self.status in OPEN

    def is_free(self, now: datetime) -> bool:
        """It may be gone on with now, and nobody has it."""
        due = self.is_open and self.due_at is not None and self.due_at <= now
        return due and (not self.holder or self.leased_until is None or self.leased_until <= now)

    def taken(self, *, holder: str, now: datetime, until: datetime, known: int) -> "Run":
        """The run in somebody's hands. Taken first, it begins now, and `known` contacts are known."""
        return replace(
            self,
            status=RunStatus.RUNNING,
            message="",
            begun_at=self.begun_at or now,
            known=known,
            holder=holder,
            leased_until=until,
            fence=self.fence + 1,
        )

    def duration(self, now: datetime) -> timedelta:
        """From start to end, or to now; never negative, whatever the clock did."""
        return max((self.ended_at or now) - self.started_at, timedelta(0))


def begin(source: Source, run_id: RunId, *, full: bool, now: datetime) -> Run:
    """A run of the source: full when that is asked for, when there is no cursor, or when its kind tells no changes.

    Its number is given when it is stored.
    """
    since = None if full or not source.kind.tells_changes else source.cursor
    return Run(
        run_id=run_id, source_id=source.source_id, number=0, full=since is None, since=since, started_at=now, due_at=now
    )


def wait(run: Run, *, until: datetime, why: str) -> Run:
    """The run, put off."""
    return replace(run, status=RunStatus.WAITING, due_at=until, message=why)


def fail(run: Run, why: str, *, now: datetime) -> Run:
    """The run, ended without moving anything."""
    return replace(run, status=RunStatus.FAILED, due_at=None, ended_at=now, message=why)


def hold(run: Run, why: str, *, deletes: int, now: datetime) -> Run:
    """The run, ended until a person approves its deletes."""
    tally = replace(run.tally, held_deletes=deletes)
    return replace(run, status=RunStatus.HELD, due_at=None, ended_at=now, message=why, tally=tally)


def approve(run: Run, *, now: datetime) -> Run:
    """The held run, going on with its deletes."""
    return replace(
        run,
        status=RunStatus.RUNNING,
        phase=Phase.DELETING,
        due_at=now,
        ended_at=None,
        message="Its deletes are approved.",
    )


def complete(run: Run, *, now: datetime) -> Run:
    """The run, ended well."""
    tally = replace(run.tally, held_deletes=0)
    return replace(run, status=RunStatus.COMPLETED, due_at=None, ended_at=now, message="", tally=tally)


def supersede(run: Run, *, now: datetime) -> Run:
    """The held run that nobody approved before the next began: that one finds the same deletes again."""
    return fail(run, "Its deletes were not approved before the next run began, which looked again.", now=now)
