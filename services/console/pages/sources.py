"""Sources: when each was read, what came of it, and the switches that an operator has."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from contactsync.source_polling.v1 import source_polling_service_pb2 as wire
from contactsync.source_polling.v1.run_pb2 import Run, RunStatus
from contactsync.source_polling.v1.source_pb2 import Source, SourceKind

from libs.rpc import PeerRefused
from services.console.shown import moment
from services.console.visit import Act, GoTo, Show, View, Visit

_A_PAGE = 20
_PATIENCE = timedelta(seconds=25)
"""For an answer of a source that is tested."""
_MARKS = {"running": "busy", "completed": "good", "failed": "bad", "held": "warn", "waiting": "busy"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRun:
    """A run. `state` is a word of "run.…", `mark` its colour."""

    run: Run
    state: str
    mark: str
    started_at: datetime | None
    ended_at: datetime | None
    since: datetime | None
    waits_until: datetime | None
    took: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSource:
    """A source with its last run. None: it has had none."""

    source: Source
    kind: str
    next_at: datetime | None
    cursor: datetime | None
    created_at: datetime | None
    last: ShownRun | None

    @property
    def holds(self) -> bool:
        """Whether deletes wait for an operator's word."""
        return self.last is not None and self.last.state == "held"


async def show_all(visit: Visit) -> View:
    """Every source with its last run."""
    asked = visit.services.source_polling
    listed = await visit.services.ask(asked.ListSources, wire.ListSourcesRequest())
    found = await asyncio.gather(*(_with_last_run(visit, each) for each in listed.sources))
    return View("sources/all.html", {"sources": [each for each in found if each is not None]})


async def show_one(visit: Visit) -> View:
    """One source: plan, cursor, runs."""
    source, token = await _look_at(visit), visit.query.get("page", "")
    request = wire.ListRunsRequest(source_id=source.id, page_size=_A_PAGE, page_token=token)
    listed = await visit.services.ask(visit.services.source_polling.ListRuns, request)
    runs = [_shown_run(each) for each in listed.runs]
    last = await _last_run(visit, source.id) if token else next(iter(runs), None)
    facts = {
        "each": _shown(source, last),
        "runs": runs,
        "token": token,
        "next": listed.next_page_token,
        "interval": source.settings.interval.ToTimedelta(),
    }
    return View("sources/one.html", facts)


async def show_run(visit: Visit) -> View:
    """One run with the rows that it left out."""
    request = wire.GetRunRequest(source_id=visit.path["source_id"], run_id=visit.path["run_id"])
    found = await visit.services.ask(visit.services.source_polling.GetRun, request)
    facts = {"source": await _look_at(visit), "each": _shown_run(found.run), "skipped": found.skipped_rows}
    return View("sources/run.html", facts)


async def sync(visit: Visit) -> GoTo:
    """Read it now."""
    source_id = visit.path["source_id"]
    request = wire.SyncSourceRequest(source_id=source_id, full=visit.form.get("full") == "yes")
    await visit.services.ask(visit.services.source_polling.SyncSource, request)
    return GoTo(f"/sources/{source_id}", done="done.source_synced")


async def pause(visit: Visit) -> GoTo:
    """Run it no more by schedule."""
    source_id = visit.path["source_id"]
    await visit.services.ask(visit.services.source_polling.PauseSource, wire.PauseSourceRequest(source_id=source_id))
    return GoTo(f"/sources/{source_id}", done="done.source_paused")


async def enable(visit: Visit) -> GoTo:
    """Run it by schedule again."""
    source_id = visit.path["source_id"]
    await visit.services.ask(visit.services.source_polling.EnableSource, wire.EnableSourceRequest(source_id=source_id))
    return GoTo(f"/sources/{source_id}", done="done.source_enabled")


async def ask_to_test(visit: Visit) -> View:
    """What a test does."""
    return View("sources/test.html", {"source": await _look_at(visit), "answer": None}, is_live=False)


async def test(visit: Visit) -> View:
    """Read one page of it, and show what came."""
    request = wire.TestSourceRequest(source_id=visit.path["source_id"])
    answer = await visit.services.ask(visit.services.source_polling.TestSource, request, timeout=_PATIENCE)
    return View("sources/test.html", {"source": await _look_at(visit), "answer": answer}, is_live=False)


async def ask_to_approve(visit: Visit) -> View:
    """Whether the held deletes are really meant."""
    source = await _look_at(visit)
    last = await _last_run(visit, source.id)
    return View("sources/approve.html", {"each": _shown(source, last)}, is_live=False)


async def approve(visit: Visit) -> GoTo:
    """Let the held deletes go on."""
    source_id = visit.path["source_id"]
    request = wire.ApproveDeletesRequest(source_id=source_id)
    await visit.services.ask(visit.services.source_polling.ApproveDeletes, request)
    return GoTo(f"/sources/{source_id}", done="done.deletes_approved")


async def _look_at(visit: Visit) -> Source:
    request = wire.GetSourceRequest(source_id=visit.path["source_id"])
    return (await visit.services.ask(visit.services.source_polling.GetSource, request)).source


async def _last_run(visit: Visit, source_id: str) -> ShownRun | None:
    request = wire.ListRunsRequest(source_id=source_id, page_size=1)
    listed = await visit.services.ask(visit.services.source_polling.ListRuns, request)
    return next((_shown_run(each) for each in listed.runs), None)


async def _with_last_run(visit: Visit, source: Source) -> ShownSource | None:
    """None: it was deleted meanwhile."""
    try:
        return _shown(source, await _last_run(visit, source.id))
    except PeerRefused as refused:
        if refused.reason == "NOT_FOUND":
            return None
        raise


def _shown(source: Source, last: ShownRun | None) -> ShownSource:
    return ShownSource(
        source=source,
        kind=SourceKind.Name(source.kind).removeprefix("SOURCE_KIND_").lower(),
        next_at=moment(source, "next_run_at"),
        cursor=moment(source, "cursor"),
        created_at=moment(source, "created_at"),
        last=last,
    )


def _shown_run(run: Run) -> ShownRun:
    state = RunStatus.Name(run.status).removeprefix("RUN_STATUS_").lower()
    return ShownRun(
        run=run,
        state=state,
        mark=_MARKS[state],
        started_at=moment(run, "started_at"),
        ended_at=moment(run, "ended_at"),
        since=moment(run, "since"),
        waits_until=moment(run, "waits_until"),
        took=timedelta(seconds=run.duration_s),
    )


PAGES = (
    Show("/sources", show_all),
    Show("/sources/{source_id}", show_one),
    Show("/sources/{source_id}/runs/{run_id}", show_run),
    Act("/sources/{source_id}/sync", sync),
    Act("/sources/{source_id}/pause", pause),
    Act("/sources/{source_id}/enable", enable),
    Show("/sources/{source_id}/test", ask_to_test),
    Act("/sources/{source_id}/test", test),
    Show("/sources/{source_id}/approve-deletes", ask_to_approve),
    Act("/sources/{source_id}/approve-deletes", approve),
)
