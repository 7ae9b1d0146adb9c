"""Reads a source page by page into the hub: the next pages are fetched while the last ones are imported."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import assert_never

from services.source_polling.domain import fuse, stuck
from services.source_polling.domain.fingerprint import changed_fields
from services.source_polling.domain.record import ExternalId, is_id
from services.source_polling.domain.run import Phase, Run, RunStatus, fail, hold, wait
from services.source_polling.domain.sifting import Draft, Sifted, draft, sift
from services.source_polling.domain.source import Source
from services.source_polling.handler.ahead import Found, PagesAhead
from services.source_polling.handler.send import Post, parcel_key
from services.source_polling.ports.fetching import FIRST, Deferred, Failed, Fetcher, Page, PageCursor, Session
from services.source_polling.ports.peers import Echoes, Imports, SeenChange
from services.source_polling.ports.store import MOST_SKIPS, Condemned, Kept, Ledger, Parcel
from services.source_polling.ports.surroundings import Clock, Fingerprints

Told = Callable[[Run], None]
"""Is told the run after every step that was stored."""

MOST_ASKED = 1000
"""Changes in one question for echoes."""
LONGEST_WAIT = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What reading needs."""

    fetcher: Fetcher
    ledger: Ledger
    condemned: Condemned
    imports: Imports
    echoes: Echoes
    post: Post
    fingerprints: Fingerprints
    clock: Clock


class Reader:
    """Brings a run from its page to the end of the source."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    async def read(self, source: Source, run: Run, told: Told) -> Run:
        """Give the run as it is when everything is read and may be deleted, or as it failed, waits or is held.

        Raises PartUnavailableError, ImportRefusedError and LeaseLostError; the run goes on where it was stored last.
        """
        await self._bench.post.send_left(run)
        while run.status is RunStatus.RUNNING and run.phase is not Phase.DELETING:
            run = await self._go_on(source, run, told)
        return run

    async def _go_on(self, source: Source, run: Run, told: Told) -> Run:
        match run.phase:
            case Phase.READING | Phase.LOOKING_AGAIN:
                return await self._read_on(source, run, told)
            case Phase.WEIGHING:
                return await self._weighed(source, run)
            case Phase.JUDGING:
                return await self._judged(source, run)
            case Phase.DELETING:
                return run
            case unreachable:
                assert_never(unreachable)

    async def _read_on(self, source: Source, run: Run, told: Told) -> Run:
        session = await self._bench.fetcher.open(source, since=run.since)
        try:
            return await self._read_pages(source, run, session, told)
        finally:
            await session.close()

    async def _read_pages(self, source: Source, run: Run, session: Session, told: Told) -> Run:
        write = partial(draft, fingerprint=self._bench.fingerprints(source), may_echo=source.kind.may_echo)
        ahead = PagesAhead(session, PageCursor(run.page_cursor), _Stuck(source, run).objection, write=write)
        try:
            while (found := await ahead.take()) is not None:
                now = self._bench.clock.now()
                match found.answer:
                    case Page() as page:
                        run, parcel = await self._keep(source, run, page, found)
                        told(run)
                        if parcel is not None:
                            await self._bench.post.send(parcel)
                        if found.objection:
                            return fail(run, found.objection, now=now)
                    case Deferred() as deferred:
                        until = now + min(deferred.retry_after, LONGEST_WAIT)
                        return wait(_counted(run, deferred), until=until, why=deferred.reason)
                    case Failed() as failed:
                        return fail(_counted(run, failed), failed.reason, now=now)
                    case unreachable:
                        assert_never(unreachable)
        finally:
            await ahead.close()
        return run

    async def _keep(self, source: Source, run: Run, page: Page, found: Found) -> tuple[Run, Parcel | None]:
        sifted = await self._sift(source, page, found.drafts)
        after = _turned(run, page, sifted, found)
        parcel = None
        if sifted.changes:
            contacts = [change.text for change in sifted.changes]
            body = self._bench.imports.pack(source, key=parcel_key(run), contacts=contacts)
            parcel, after = Parcel(run.run_id, run.parcels, body), replace(after, parcels=run.parcels + 1)
        room = max(0, MOST_SKIPS - run.tally.skipped) if run.phase is Phase.READING else 0
        taken = (*sifted.changes, *sifted.echoes)
        kept = Kept(
            seen=(*sifted.unchanged, *(skip.external_id for skip in sifted.skipped if skip.external_id)),
            accepted={change.external_id: change.fingerprint for change in taken},
            condemned=await self._gone(run, page, found.drafts),
            skips=sifted.skipped[:room],
            parcel=parcel,
        )
        await self._bench.ledger.keep(after, kept)
        return after, parcel

    async def _sift(self, source: Source, page: Page, drafts: Sequence[Draft]) -> Sifted:
        ids = [each.external_id for each in drafts if is_id(each.external_id)]
        known = await self._bench.ledger.known(source.source_id, ids)
        sifted = sift(drafts, page.skipped, known=known)
        return await self._without_echoes(source, sifted, known) if source.kind.may_echo else sifted

    async def _without_echoes(self, source: Source, sifted: Sifted, known: Mapping[ExternalId, bytes]) -> Sifted:
        asked: list[Draft] = []
        questions: list[SeenChange] = []
        for change in sifted.changes:
            before = known.get(change.external_id)
            fields = changed_fields(change.record, before, change.fingerprint) if change.record else None
            if fields is not None:
                asked.append(change)
                questions.append(SeenChange(change.external_id, fields))
        heard: list[bool] = []
        for start in range(0, len(questions), MOST_ASKED):
            heard += await self._bench.echoes.recognize(source.system, questions[start : start + MOST_ASKED])
        return sifted.without_echoes(heard, asked)

    async def _gone(self, run: Run, page: Page, drafts: Sequence[Draft]) -> Sequence[ExternalId]:
        """What the page says is gone and is known; of an id that the same page also updates the update counts."""
        if not page.deleted:
            return ()
        there = {each.external_id for each in drafts}
        gone = [each for each in dict.fromkeys(page.deleted) if each not in there and is_id(each)]
        known = await self._bench.ledger.known(run.source_id, gone)
        return [each for each in gone if each in known]

    async def _weighed(self, source: Source, run: Run) -> Run:
        """Everything was read: what a whole reading has not seen is gone, or has only moved while it was read."""
        condemned = self._bench.condemned
        if not run.full:
            return replace(run, phase=Phase.JUDGING)
        await condemned.condemn_unseen(run)
        if not source.kind.may_shift or not await condemned.count_condemned(run):
            return replace(run, phase=Phase.JUDGING)
        again = replace(run, phase=Phase.LOOKING_AGAIN, page_cursor=FIRST, fingerprint=b"")
        await self._bench.ledger.keep(again, Kept())
        return again

    async def _judged(self, source: Source, run: Run) -> Run:
        """It deletes what it found gone, if that is not too much."""
        bench = self._bench
        deletes = await bench.condemned.count_condemned(run)
        objection = fuse.objection(source.fuse, run, deletes=deletes)
        if objection is not None:
            return hold(run, objection, deletes=deletes, now=bench.clock.now())
        return replace(run, phase=Phase.DELETING)


class _Stuck:
    """Looks at pages as they come, one behind the other."""

    def __init__(self, source: Source, run: Run) -> None:
        self._most = source.max_pages
        self._pages = 0 if run.phase is Phase.LOOKING_AGAIN else run.tally.pages
        self._before = run.fingerprint

    def objection(self, asked: PageCursor, page: Page) -> str | None:
        """Say why reading must stop behind the page."""
        self._pages += 1
        before, self._before = self._before, page.fingerprint
        return stuck.objection(
            asked=asked,
            follows=page.next,
            fingerprint=page.fingerprint,
            fingerprint_before=before,
            pages=self._pages,
            most=self._most,
        )


def _turned(run: Run, page: Page, sifted: Sifted, found: Found) -> Run:
    tally = run.tally.plus(tokens=page.tokens, retries=page.retries, changed=len(sifted.changes))
    is_first_look = run.phase is Phase.READING
    if is_first_look:  # what is seen again is not counted again
        tally = tally.plus(
            pages=found.pages,
            seen=sifted.rows + found.repeats,
            unchanged=len(sifted.unchanged) + found.repeats,
            echoes=len(sifted.echoes),
            skipped=len(sifted.skipped),
        )
    return replace(
        run,
        tally=tally,
        page_cursor=page.next or "",
        phase=run.phase if page.next is not None else Phase.WEIGHING if is_first_look else Phase.JUDGING,
        fingerprint=page.fingerprint,
        begun_at=_begun(run, page.asked_at),
        message="",
    )


def _begun(run: Run, told_by_source: datetime | None) -> datetime | None:
    """The source's own time when that is earlier: a clock of ours that runs ahead must not skip its changes."""
    if run.tally.pages or told_by_source is None or run.begun_at is None:
        return run.begun_at
    return min(run.begun_at, told_by_source)


def _counted(run: Run, found: Deferred | Failed) -> Run:
    return replace(run, tally=run.tally.plus(tokens=found.tokens, retries=found.retries))
