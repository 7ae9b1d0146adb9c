"""The store in memory: for tests, and for a hub that need not remember."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from typing_extensions import override

from services.source_polling.domain.errors import LeaseLostError
from services.source_polling.domain.record import ExternalId, Skip
from services.source_polling.domain.run import Run, RunId, RunStatus, supersede
from services.source_polling.domain.source import Source, SourceId
from services.source_polling.ports.store import (
    KEPT_RUNS,
    Condemned,
    Kept,
    Leases,
    Ledger,
    Parcel,
    Parcels,
    Plans,
    RunQueue,
    Runs,
    SourceEdits,
    Sources,
)


@dataclass(slots=True)
class _Known:
    fingerprint: bytes
    seen_in: int
    condemned_in: int | None = None


@dataclass(slots=True)
class _OfSource:
    source: Source
    runs: dict[RunId, Run] = field(default_factory=dict)
    contacts: dict[ExternalId, _Known] = field(default_factory=dict)


class MemoryStore(Sources, SourceEdits, Plans, Runs, RunQueue, Leases, Ledger, Condemned, Parcels):
    """Everything, in one process."""

    def __init__(self, *, kept_runs: int = KEPT_RUNS) -> None:
        self._kept_runs = kept_runs
        self._all: dict[SourceId, _OfSource] = {}
        self._skips: dict[RunId, list[Skip]] = {}
        self._parcels: dict[RunId, list[Parcel]] = {}

    @override
    async def find(self, source_id: SourceId) -> Source | None:
        of = self._all.get(source_id)
        return None if of is None else of.source

    @override
    async def list(self) -> Sequence[Source]:
        return sorted((of.source for of in self._all.values()), key=lambda each: (each.name, each.source_id))

    @override
    async def put(self, source: Source) -> bool:
        if source.source_id in self._all:
            return False
        self._all[source.source_id] = _OfSource(source)
        return True

    @override
    async def change(self, source: Source) -> bool:
        of = self._all.get(source.source_id)
        if of is None:
            return False
        of.source = replace(source, cursor=of.source.cursor, kind=of.source.kind, created_at=of.source.created_at)
        return True

    @override
    async def forget_cursor(self, source_id: SourceId) -> bool:
        of = self._all.get(source_id)
        if of is None:
            return False
        of.source = replace(of.source, cursor=None)
        return True

    @override
    async def delete(self, source_id: SourceId) -> bool:
        of = self._all.pop(source_id, None)
        for run_id in () if of is None else of.runs:
            self._skips.pop(run_id, None)
            self._parcels.pop(run_id, None)
        return of is not None

    @override
    async def plan(self, source_id: SourceId, *, at: datetime) -> None:
        of = self._all.get(source_id)
        if of is not None and of.source.enabled:
            of.source = replace(of.source, next_run_at=at)

    @override
    async def find_run(self, source_id: SourceId, run_id: RunId) -> Run | None:
        of = self._all.get(source_id)
        return None if of is None else of.runs.get(run_id)

    @override
    async def newest(self, source_id: SourceId, *, limit: int, before: int | None) -> Sequence[Run]:
        of = self._all.get(source_id)
        runs = sorted(() if of is None else of.runs.values(), key=lambda run: -run.number)
        return [run for run in runs if before is None or run.number < before][:limit]

    @override
    async def skips(self, run_id: RunId) -> Sequence[Skip]:
        return list(self._skips.get(run_id, ()))

    @override
    async def open(self, run: Run, *, next_run_at: datetime | None = None) -> Run | None:
        of = self._all.get(run.source_id)
        if of is None:
            return None
        if next_run_at is not None and of.source.enabled:
            of.source = replace(of.source, next_run_at=next_run_at)
        there = next((each for each in of.runs.values() if each.is_open), None)
        if there is not None:
            return there
        for each in [each for each in of.runs.values() if each.status is RunStatus.HELD]:
            of.runs[each.run_id] = supersede(each, now=run.started_at)
        numbered = replace(run, number=max((each.number for each in of.runs.values()), default=0) + 1)
        of.runs[run.run_id] = numbered
        for each in [each for each in of.runs.values() if each.number <= numbered.number - self._kept_runs]:
            del of.runs[each.run_id]
            self._skips.pop(each.run_id, None)
        return numbered

    @override
    async def reopen(self, run: Run) -> bool:
        of = self._all.get(run.source_id)
        known = None if of is None else of.runs.get(run.run_id)
        if of is None or known is None or known.status is not RunStatus.HELD:
            return False
        of.runs[run.run_id] = replace(run, holder=known.holder, leased_until=known.leased_until, fence=known.fence)
        return True

    @override
    async def open_runs(self) -> Sequence[Run]:
        return [run for of in self._all.values() for run in of.runs.values() if run.is_open]

    @override
    async def take(self, run_id: RunId, *, holder: str, now: datetime, until: datetime) -> Run | None:
        of = next((of for of in self._all.values() if run_id in of.runs), None)
        if of is None or not of.runs[run_id].is_free(now):
            return None
        run = of.runs[run_id]
        known = len(of.contacts) if run.begun_at is None else run.known
        of.runs[run_id] = run.taken(holder=holder, now=now, until=until, known=known)
        return of.runs[run_id]

    @override
    async def renew(self, run: Run, *, until: datetime) -> bool:
        of = self._all.get(run.source_id)
        known = None if of is None else of.runs.get(run.run_id)
        if of is None or known is None or known.fence != run.fence or not known.holder:
            return False
        of.runs[run.run_id] = replace(known, leased_until=until)
        return True

    @override
    async def release(self, holder: str) -> None:
        for of in self._all.values():
            for run in [run for run in of.runs.values() if run.holder == holder]:
                of.runs[run.run_id] = replace(run, holder="", leased_until=None)

    @override
    async def known(self, source_id: SourceId, external_ids: Sequence[ExternalId]) -> Mapping[ExternalId, bytes]:
        contacts = self._all[source_id].contacts if source_id in self._all else {}
        return {each: contacts[each].fingerprint for each in external_ids if each in contacts}

    @override
    async def keep(self, run: Run, kept: Kept) -> None:
        of = self._step(run)
        self._parcels[run.run_id] = [] if kept.parcel is None else [kept.parcel]
        self._skips.setdefault(run.run_id, []).extend(kept.skips)
        _mark(of.contacts, run, kept)

    @override
    async def end(self, run: Run, *, cursor: datetime | None = None) -> None:
        of = self._step(run)
        of.runs[run.run_id] = replace(of.runs[run.run_id], holder="", leased_until=None)
        if not run.is_open:
            self._parcels.pop(run.run_id, None)
        if cursor is not None:
            of.source = replace(of.source, cursor=cursor)

    @override
    async def condemn_unseen(self, run: Run) -> None:
        for contact in self._step(run).contacts.values():
            if contact.seen_in != run.number:
                contact.condemned_in = run.number

    @override
    async def count_condemned(self, run: Run) -> int:
        return len(await self.condemned(run, limit=2**31))

    @override
    async def condemned(self, run: Run, *, limit: int) -> Sequence[ExternalId]:
        of = self._all.get(run.source_id)
        contacts = {} if of is None else of.contacts
        return sorted(each for each, contact in contacts.items() if contact.condemned_in == run.number)[:limit]

    @override
    async def parcels(self, run_id: RunId) -> Sequence[Parcel]:
        return list(self._parcels.get(run_id, ()))

    @override
    async def disown(self, run: Run, external_ids: Sequence[ExternalId]) -> None:
        self._step(run).contacts.update({each: _Known(b"", 0) for each in external_ids})

    def _step(self, run: Run) -> _OfSource:
        of = self._all.get(run.source_id)
        known = None if of is None else of.runs.get(run.run_id)
        if of is None or known is None or known.fence != run.fence or not known.is_open:
            raise LeaseLostError
        of.runs[run.run_id] = replace(run, holder=known.holder, leased_until=known.leased_until)
        return of


def _mark(contacts: dict[ExternalId, _Known], run: Run, kept: Kept) -> None:
    for each in kept.condemned:
        if each in contacts:
            contacts[each].condemned_in = run.number
    for each in kept.seen:
        if each in contacts:
            contacts[each] = _Known(contacts[each].fingerprint, run.number)
    contacts.update({each: _Known(fingerprint, run.number) for each, fingerprint in kept.accepted.items()})
    for each in kept.deleted:
        contacts.pop(each, None)
