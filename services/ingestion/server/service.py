from collections.abc import AsyncIterator, Awaitable
from typing import Any, TypeAlias

import grpc
from contactsync.ingestion.v1 import ingestion_service_pb2 as pb
from contactsync.ingestion.v1 import ingestion_service_pb2_grpc

from libs.telemetry import dry_run_span
from services.ingestion.domain.client import Client
from services.ingestion.domain.errors import Invalid, Violation
from services.ingestion.domain.ids import ChunkId, JobId
from services.ingestion.domain.outcome import RowState
from services.ingestion.handler.activity import TellActivity
from services.ingestion.handler.delivering import RedeliverRows, RetryJobs, ServeDelivery
from services.ingestion.handler.following import FollowJobs, RowQuery
from services.ingestion.handler.importing import Import, ImportContacts
from services.ingestion.handler.looking import LookForJobs
from services.ingestion.ports.store import JobQuery
from services.ingestion.server import views
from services.ingestion.server.filters import job_filter
from services.ingestion.server.outcomes import outcomes_of
from services.ingestion.server.parts import gathered
from services.ingestion.server.redeliveries import redelivered, selections_of
from services.ingestion.server.rows import TypedRows, rows_of_messages
from services.ingestion.server.source_rows import rows_of_source
from services.ingestion.wire.caller import calling_client, importing_client, origin, viewer
from services.ingestion.wire.facts import tell_accepted
from services.ingestion.wire.pages import job_place, job_token, row_place, row_token

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Awaitable[Any]]"
StreamContext: TypeAlias = "grpc.aio.ServicerContext[pb.WatchJobRequest, AsyncIterator[pb.WatchJobResponse]]"

JOBS_A_PAGE = 50
MINUTES = 60
ROWS_A_PAGE = 100


class IngestionServicer(ingestion_service_pb2_grpc.IngestionServiceServicer):
    """The typed contract of ingestion."""

    def __init__(
        self,
        *,
        imports: ImportContacts,
        follow: FollowJobs,
        look: LookForJobs,
        activity: TellActivity,
        retries: RetryJobs,
        delivery: ServeDelivery,
        redeliveries: RedeliverRows,
    ) -> None:
        self._imports = imports
        self._follow = follow
        self._look = look
        self._activity = activity
        self._retries = retries
        self._delivery = delivery
        self._redeliveries = redeliveries

    async def ImportContacts(self, request: pb.ImportContactsRequest, context: Context) -> pb.ImportContactsResponse:
        """Imports contacts, or rehearses it."""
        client = importing_client(request)
        return await self._import(client, request.idempotency_key, _rows(request), dry_run=request.dry_run)

    async def ImportContactStream(
        self, request_iterator: AsyncIterator[pb.ImportContactStreamRequest], context: Context
    ) -> pb.ImportContactStreamResponse:
        """Imports contacts that come in parts, as one job."""
        key, contacts = await gathered(request_iterator)
        return pb.ImportContactStreamResponse(
            accepted=await self._import(calling_client(), key, rows_of_messages(contacts))
        )

    async def _import(
        self, client: Client, key: str, rows: TypedRows, *, dry_run: bool = False
    ) -> pb.ImportContactsResponse:
        asked = Import(client=client, origin=origin(), key=key, fingerprint=rows.fingerprint, rows=rows)
        if dry_run:
            with dry_run_span("ingestion.Rehearse"):
                return views.accepted((await self._imports.rehearse(asked)).job, replayed=False)
        done = await self._imports.accept(asked)
        if done.job:
            tell_accepted(done.job)
        job = done.job or (await self._follow.get(done.job_id, viewer=asked.client.client_id)).job
        return views.accepted(job, replayed=done.replayed)

    async def ListJobs(self, request: pb.ListJobsRequest, context: Context) -> pb.ListJobsResponse:
        """Lists jobs, newest first, as far as one call looks."""
        query = JobQuery(
            limit=request.page_size or JOBS_A_PAGE,
            client_id=viewer(),
            correlation_id=request.correlation_id,
            before=job_place(request.page_token),
        )
        page = await self._look.look(query, job_filter(request))
        return pb.ListJobsResponse(
            jobs=[views.job_view(record, with_chunks=False) for record in page.records],
            next_page_token=job_token(page.looked_at.job) if page.looked_at and page.more else "",
            looked_back_to=views.moment(page.looked_at.job.created_at) if page.looked_at else None,
        )

    async def GetActivity(self, request: pb.GetActivityRequest, context: Context) -> pb.GetActivityResponse:
        """Tells what came in of late."""
        minutes = await self._activity.tell(minutes=request.minutes or MINUTES)
        return pb.GetActivityResponse(
            minutes=[views.minute_view(each) for each in minutes],
            unfinished_deliveries=await self._activity.unfinished(),
        )

    async def GetJob(self, request: pb.GetJobRequest, context: Context) -> pb.GetJobResponse:
        """Gives one job."""
        return pb.GetJobResponse(job=views.job_view(await self._follow.get(JobId(request.job_id), viewer=viewer())))

    async def ListRows(self, request: pb.ListRowsRequest, context: Context) -> pb.ListRowsResponse:
        """Lists the rows of a job by index."""
        query = RowQuery(
            after=row_place(request.page_token),
            limit=request.page_size or ROWS_A_PAGE,
            state=RowState[request.state.upper()] if request.state else None,
            phone=await self._look.read_phone(request.phone.strip(), region=request.region),
        )
        page = await self._follow.rows(JobId(request.job_id), query, viewer=viewer())
        return pb.ListRowsResponse(
            rows=[views.row_view(row) for row in page.rows],
            next_page_token=row_token(page.rows[-1].row_index) if page.more else "",
            destinations=views.destination_views(page.record),
        )

    async def WatchJob(self, request: pb.WatchJobRequest, context: StreamContext) -> AsyncIterator[pb.WatchJobResponse]:
        """Streams a job now and at every change, until it is completed or failed."""
        async for record in self._follow.watch(JobId(request.job_id), viewer=viewer()):
            yield pb.WatchJobResponse(job=views.job_view(record))

    async def RetryJob(self, request: pb.RetryJobRequest, context: Context) -> pb.RetryJobResponse:
        """Delivers the failed rows of a job again."""
        record, rows = await self._retries.retry(JobId(request.job_id), viewer=viewer())
        return pb.RetryJobResponse(job=views.job_view(record), retried_rows=rows)

    async def FetchChunks(self, request: pb.FetchChunksRequest, context: Context) -> pb.FetchChunksResponse:
        """Gives chunks with their contacts."""
        found = await self._delivery.fetch([ChunkId(chunk_id) for chunk_id in request.chunk_ids])
        return pb.FetchChunksResponse(chunks=[views.chunk(each) for each in found])

    async def RedeliverRows(self, request: pb.RedeliverRowsRequest, context: Context) -> pb.RedeliverRowsResponse:
        """Starts the next round for rows that an operator replays."""
        return redelivered(await self._redeliveries.redeliver(selections_of(request.selections)))

    async def ResolveRows(self, request: pb.ResolveRowsRequest, context: Context) -> pb.ResolveRowsResponse:
        """Takes an operator's word for unknown rows."""
        states = await self._redeliveries.resolve(
            selections_of(request.selections), state=RowState(request.state), reason=request.reason
        )
        return pb.ResolveRowsResponse(row_states=states)

    async def RecordOutcomes(self, request: pb.RecordOutcomesRequest, context: Context) -> pb.RecordOutcomesResponse:
        """Takes what became of deliveries."""
        await self._delivery.record(outcomes_of(request.outcomes))
        return pb.RecordOutcomesResponse()


def _rows(request: pb.ImportContactsRequest) -> TypedRows:
    """The rows in the one form that they were given in. Raises Invalid."""
    if not request.contacts_json:
        return rows_of_messages(request.contacts)
    if request.contacts or not request.HasField("origin"):
        message = "Only a source's poller gives contacts so, and then alone"
        raise Invalid(violations=[Violation("/contacts_json", "not_allowed", message)])
    return rows_of_source(request.contacts_json)
