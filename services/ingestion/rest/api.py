import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import grpc
import structlog
from contactsync.ingestion.v1 import import_api_pb2_grpc
from contactsync.ingestion.v1.import_api_pb2 import (
    GetErasureRequest,
    GetImportRejectedRequest,
    GetImportRequest,
    ListImportRowsRequest,
    RetryImportRequest,
    WatchImportRequest,
)
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.empty_pb2 import Empty

from libs.rpc import answer, current_headers
from libs.telemetry import dry_run_span
from services.ingestion.domain.erasure import ErasureId
from services.ingestion.domain.ids import JobId
from services.ingestion.domain.outcome import RowState
from services.ingestion.handler.delivering import RetryJobs
from services.ingestion.handler.erasing import EraseContacts
from services.ingestion.handler.following import FollowJobs, RowQuery
from services.ingestion.handler.importing import Import, ImportContacts
from services.ingestion.ports.time import Clock
from services.ingestion.rest import answers, events, row_answers
from services.ingestion.rest.body import LARGE_BYTES, Body, decode
from services.ingestion.rest.erasing import erasure_body, read_asked
from services.ingestion.rest.headers import check_content_encoding, check_content_type, idempotency_key, is_dry_run
from services.ingestion.wire.caller import calling_client, origin, viewer
from services.ingestion.wire.facts import tell_accepted
from services.ingestion.wire.pages import row_place

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Awaitable[HttpBody]]"
StreamContext: TypeAlias = "grpc.aio.ServicerContext[Any, AsyncIterator[HttpBody]]"

ROWS_A_PAGE = 100
REPLAYED = {"idempotent-replayed": "true"}

log = structlog.get_logger()


class ImportApi(import_api_pb2_grpc.ImportApiServicer):
    """The import API of import-api.txt."""

    def __init__(
        self,
        *,
        imports: ImportContacts,
        follow: FollowJobs,
        retries: RetryJobs,
        erase: EraseContacts,
        check: Callable[[], Awaitable[None]],
        clock: Clock,
        version: str,
    ) -> None:
        """`check` raises when the database does not answer."""
        self._imports = imports
        self._follow = follow
        self._retries = retries
        self._erase = erase
        self._check = check
        self._clock = clock
        self._version = version
        self._large = asyncio.Lock()

    async def Import(self, request: HttpBody, context: Context) -> HttpBody:
        """Accepts an import, or rehearses it."""
        check_content_type(request.content_type)
        check_content_encoding(current_headers())
        key = idempotency_key(context.invocation_metadata() or ())
        body = await self._decode(request.data)
        asked = Import(client=calling_client(), origin=origin(), key=key, fingerprint=body.fingerprint, rows=body.rows)
        if is_dry_run(current_headers()):
            with dry_run_span("ingestion.Rehearse"):
                drafted = await self._imports.rehearse(asked)
            return await answer(context, body=answers.rehearsed(drafted, body.rows))
        done = await self._imports.accept(asked)
        if done.job:
            tell_accepted(done.job)
        return await answer(context, status=done.status, body=done.body, headers=REPLAYED if done.replayed else None)

    async def _decode(self, data: bytes) -> Body:
        """Large bodies one after the other: what eight of them become at once does not fit a processor's cache."""
        if len(data) <= LARGE_BYTES:
            return await decode(data)
        async with self._large:
            return await decode(data)

    async def GetImport(self, request: GetImportRequest, context: Context) -> HttpBody:
        """The job as documented."""
        record = await self._follow.get(JobId(request.job_id), viewer=calling_client().client_id)
        return await answer(context, body=answers.job_body(record))

    async def ListImportRows(self, request: ListImportRowsRequest, context: Context) -> HttpBody:
        """A page of the job's rows."""
        query = RowQuery(
            after=row_place(request.cursor, name="cursor"),
            limit=request.limit or ROWS_A_PAGE,
            state=RowState[request.state.upper()] if request.state else None,
        )
        page = await self._follow.rows(JobId(request.job_id), query, viewer=calling_client().client_id)
        return await answer(context, body=row_answers.rows_page(page))

    async def GetImportRejected(self, request: GetImportRejectedRequest, context: Context) -> HttpBody:
        """The rejected rows, to mend and post again."""
        rows = await self._follow.rejected(JobId(request.job_id), viewer=calling_client().client_id)
        name = f'attachment; filename="rejected-{request.job_id}.json"'
        return await answer(context, body=row_answers.rejected_rows(rows), headers={"content-disposition": name})

    async def RetryImport(self, request: RetryImportRequest, context: Context) -> HttpBody:
        """Delivers the failed rows again."""
        record, rows = await self._retries.retry(JobId(request.job_id), viewer=calling_client().client_id)
        return await answer(context, status=202, body=answers.retried(record, rows))

    async def WatchImport(self, request: WatchImportRequest, context: StreamContext) -> AsyncIterator[HttpBody]:
        """The job at every change."""
        own = calling_client().client_id
        headers: Mapping[str, str] | None = events.HEADERS
        async for event in events.job_events(self._follow, JobId(request.job_id), viewer=own):
            yield await answer(context, body=event, content_type=events.CONTENT_TYPE, headers=headers)
            headers = None

    async def EraseContact(self, request: HttpBody, context: Context) -> HttpBody:
        """Begins to erase a person."""
        check_content_type(request.content_type)
        check_content_encoding(current_headers())
        asked = read_asked(request.data, calling_client(), everywhere=viewer() is None)
        erasure = await self._erase.ask(asked)
        where = {"location": f"/v1/contacts/erasures/{erasure.erasure_id}"}
        return await answer(context, status=202, body=erasure_body(erasure), headers=where)

    async def GetErasure(self, request: GetErasureRequest, context: Context) -> HttpBody:
        """How far an erasure is."""
        erasure = await self._erase.get(ErasureId(request.erasure_id), viewer=viewer())
        return await answer(context, body=erasure_body(erasure))

    async def GetHealth(self, request: Empty, context: Context) -> HttpBody:
        """Answers while the process runs."""
        return await answer(context, body=answers.health(version=self._version, now=self._clock()))

    async def GetReadiness(self, request: Empty, context: Context) -> HttpBody:
        """Answers 503 while an import would not be accepted."""
        healthy = await self._is_ready()
        body = answers.health(
            version=self._version,
            now=self._clock(),
            healthy=healthy,
            checks=answers.database_check(healthy=healthy),
        )
        return await answer(context, status=200 if healthy else 503, body=body)

    async def _is_ready(self) -> bool:
        try:
            await self._check()
        except Exception as error:  # noqa: BLE001 - whatever it is, the answer is 503
            log.warning("not_ready", error=type(error).__name__)
            return False
        return True
