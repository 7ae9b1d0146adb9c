"""What is kept. Whatever a method wrote is on disk when it returns, all of it or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from services.source_polling.domain.record import ExternalId, Skip
from services.source_polling.domain.run import Run, RunId
from services.source_polling.domain.source import Source, SourceId

KEPT_RUNS = 1000
"""Of a source; older ones are forgotten when a new one begins."""
MOST_SKIPS = 1000
"""Rows that were left out are all counted; so many of a run are listed."""


class Sources(Protocol):
    """The sources, with their secrets."""

    async def find(self, source_id: SourceId) -> Source | None:
        """Give one."""
        ...

    async def list(self) -> Sequence[Source]:
        """Give all, by name, then id."""
        ...

    async def put(self, source: Source) -> bool:
        """Store a new one. False: the id is taken, and nothing was changed."""
        ...


class SourceEdits(Protocol):
    """Changes to sources."""

    async def change(self, source: Source) -> bool:
        """Store all but its cursor, which is the runs' own. False: there is none."""
        ...

    async def forget_cursor(self, source_id: SourceId) -> bool:
        """Let the next run be a full one. False: there is no such source."""
        ...

    async def delete(self, source_id: SourceId) -> bool:
        """Forget it with all that belongs to it. False: there is none."""
        ...


class Runs(Protocol):
    """What became of runs."""

    async def find_run(self, source_id: SourceId, run_id: RunId) -> Run | None:
        """Give one of the source's."""
        ...

    async def newest(self, source_id: SourceId, *, limit: int, before: int | None) -> Sequence[Run]:
        """Give those with a number below `before`, newest first."""
        ...

    async def skips(self, run_id: RunId) -> Sequence[Skip]:
        """Give the rows that it left out, by page; at most MOST_SKIPS."""
        ...


class Plans(Protocol):
    """When sources run by themselves."""

    async def plan(self, source_id: SourceId, *, at: datetime) -> None:
        """Let the source run by schedule then; nothing when it is paused or gone."""
        ...


class RunQueue(Protocol):
    """Runs that are to be gone on with."""

    async def open(self, run: Run, *, next_run_at: datetime | None = None) -> Run | None:
        """Store a new run with the number it gets, unless the source has an open one: then give that.

        A held run of the source is superseded by it. `next_run_at` becomes the source's. None: there is no such source.
        """
        ...

    async def reopen(self, run: Run) -> bool:
        """Store a held run that was approved. False: it is not held any more."""
        ...

    async def open_runs(self) -> Sequence[Run]:
        """Give every open run."""
        ...


class Leases(Protocol):
    """Who runs what: one at a time."""

    async def take(self, run_id: RunId, *, holder: str, now: datetime, until: datetime) -> Run | None:
        """Give the run to the holder, when it is open, due and held by nobody at `now`. None: it is not.

        When it is taken first, its begin and how many contacts are known are fixed.
        """
        ...

    async def renew(self, run: Run, *, until: datetime) -> bool:
        """Keep it. False: another has it."""
        ...

    async def release(self, holder: str) -> None:
        """Let go of all that the holder had when it was killed. Only a holder that has just started may ask this."""
        ...


@dataclass(frozen=True, slots=True)
class Parcel:
    """An import that was decided on: sent until it is taken, always with the same bytes."""

    run_id: RunId
    number: int
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What one step of a run leaves behind, beside the run itself."""

    seen: Sequence[ExternalId] = ()
    """Contacts that are there, and as they were."""
    accepted: Mapping[ExternalId, bytes] = field(default_factory=dict)
    """Fingerprints of those that were taken over, all of one length."""
    condemned: Sequence[ExternalId] = ()
    """Contacts to be deleted when the run has read everything."""
    deleted: Sequence[ExternalId] = ()
    """Contacts whose deletion is on its way."""
    skips: Sequence[Skip] = ()
    parcel: Parcel | None = None


class Ledger(Protocol):
    """How far a run is. Every write is refused with LeaseLostError when another has the run."""

    async def known(self, source_id: SourceId, external_ids: Sequence[ExternalId]) -> Mapping[ExternalId, bytes]:
        """Give the fingerprints of those contacts that are known."""
        ...

    async def keep(self, run: Run, kept: Kept) -> None:
        """Store the run as it is now and what belongs to it; its parcels of earlier steps are let go of."""
        ...

    async def end(self, run: Run, *, cursor: datetime | None = None) -> None:
        """Store the run as it is now and give it back; `cursor` becomes the source's. Parcels stay with open runs."""
        ...


class Condemned(Protocol):
    """Contacts that a run would delete."""

    async def condemn_unseen(self, run: Run) -> None:
        """Mark every contact of the source that the run has not seen. LeaseLostError as for the ledger."""
        ...

    async def count_condemned(self, run: Run) -> int:
        """Count them."""
        ...

    async def condemned(self, run: Run, *, limit: int) -> Sequence[ExternalId]:
        """Give the first of them."""
        ...


class Parcels(Protocol):
    """Imports that may not have been taken yet."""

    async def parcels(self, run_id: RunId) -> Sequence[Parcel]:
        """Give those of a run, in order."""
        ...

    async def disown(self, run: Run, external_ids: Sequence[ExternalId]) -> None:
        """Take the contacts for known but changed, whatever they are, so that the next run brings or deletes them."""
        ...
