"""Wire to use case and back."""

from typing import Any

from contactsync.source_polling.v1 import source_polling_service_pb2 as wire
from contactsync.source_polling.v1.source_polling_service_pb2_grpc import SourcePollingServiceServicer
from google.protobuf.timestamp_pb2 import Timestamp
from typing_extensions import override

from libs.stamps import stamp_of
from services.source_polling.domain.run import RunId
from services.source_polling.domain.source import SourceId
from services.source_polling.handler.operate import Operator
from services.source_polling.ports.surroundings import Clock
from services.source_polling.server.mapping import changed, read_new, write_run, write_skip, write_source

RUNS_A_PAGE = 50


class SourcePollingServer(SourcePollingServiceServicer):
    """The operator's methods."""

    def __init__(self, operator: Operator, *, clock: Clock) -> None:
        self._operator = operator
        self._clock = clock

    @override
    async def CreateSource(self, request: wire.CreateSourceRequest, context: Any) -> wire.CreateSourceResponse:
        source = await self._operator.create(read_new(request, now=self._clock.now()))
        return wire.CreateSourceResponse(source=write_source(source))

    @override
    async def ListSources(self, request: wire.ListSourcesRequest, context: Any) -> wire.ListSourcesResponse:
        return wire.ListSourcesResponse(sources=map(write_source, await self._operator.list()))

    @override
    async def GetSource(self, request: wire.GetSourceRequest, context: Any) -> wire.GetSourceResponse:
        return wire.GetSourceResponse(source=write_source(await self._operator.get(SourceId(request.source_id))))

    @override
    async def UpdateSource(self, request: wire.UpdateSourceRequest, context: Any) -> wire.UpdateSourceResponse:
        known = await self._operator.get(SourceId(request.source_id))
        return wire.UpdateSourceResponse(source=write_source(await self._operator.change(changed(known, request))))

    @override
    async def EnableSource(self, request: wire.EnableSourceRequest, context: Any) -> wire.EnableSourceResponse:
        source = await self._operator.switch(SourceId(request.source_id), enabled=True)
        return wire.EnableSourceResponse(source=write_source(source))

    @override
    async def PauseSource(self, request: wire.PauseSourceRequest, context: Any) -> wire.PauseSourceResponse:
        source = await self._operator.switch(SourceId(request.source_id), enabled=False)
        return wire.PauseSourceResponse(source=write_source(source))

    @override
    async def DeleteSource(self, request: wire.DeleteSourceRequest, context: Any) -> wire.DeleteSourceResponse:
        await self._operator.delete(SourceId(request.source_id))
        return wire.DeleteSourceResponse()

    @override
    async def TestSource(self, request: wire.TestSourceRequest, context: Any) -> wire.TestSourceResponse:
        found = await self._operator.test(SourceId(request.source_id))
        return wire.TestSourceResponse(
            ok=not found.message,
            message=found.message,
            seen=found.seen,
            skipped=len(found.skipped),
            skipped_rows=map(write_skip, found.skipped),
        )

    @override
    async def SyncSource(self, request: wire.SyncSourceRequest, context: Any) -> wire.SyncSourceResponse:
        run = await self._operator.sync(SourceId(request.source_id), full=request.full)
        return wire.SyncSourceResponse(run=write_run(run, now=self._clock.now()))

    @override
    async def ResetCursor(self, request: wire.ResetCursorRequest, context: Any) -> wire.ResetCursorResponse:
        source = await self._operator.forget_cursor(SourceId(request.source_id))
        return wire.ResetCursorResponse(source=write_source(source))

    @override
    async def ApproveDeletes(self, request: wire.ApproveDeletesRequest, context: Any) -> wire.ApproveDeletesResponse:
        run = await self._operator.approve(SourceId(request.source_id))
        return wire.ApproveDeletesResponse(run=write_run(run, now=self._clock.now()))

    @override
    async def ListRuns(self, request: wire.ListRunsRequest, context: Any) -> wire.ListRunsResponse:
        source = await self._operator.get(SourceId(request.source_id))
        size = request.page_size or RUNS_A_PAGE
        before = int(request.page_token) if request.page_token else None
        found = await self._operator.runs(source.source_id, limit=size + 1, before=before)
        now = self._clock.now()
        return wire.ListRunsResponse(
            runs=[write_run(run, now=now) for run in found[:size]],
            next_page_token=str(found[size - 1].number) if len(found) > size else "",
            next_run_at=_optional(source.next_run_at),
        )

    @override
    async def GetRun(self, request: wire.GetRunRequest, context: Any) -> wire.GetRunResponse:
        run, skips = await self._operator.run(SourceId(request.source_id), RunId(request.run_id))
        return wire.GetRunResponse(run=write_run(run, now=self._clock.now()), skipped_rows=map(write_skip, skips))


def _optional(at: Any) -> Timestamp | None:
    return None if at is None else stamp_of(at)
