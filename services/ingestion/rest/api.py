from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import grpc
import structlog
from contactsync.ingestion.v1 import import_api_pb2_grpc
from contactsync.ingestion.v1.import_api_pb2 import GetImportRequest
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.empty_pb2 import Empty

from libs.rpc import answer, current_headers
from services.ingestion.domain.ids import JobId
from services.ingestion.handler.following import FollowJobs
from services.ingestion.handler.importing import Import, ImportContacts
from services.ingestion.ports.time import Clock
from services.ingestion.rest import answers
from services.ingestion.rest.body import decode
from services.ingestion.rest.headers import check_content_type, idempotency_key, is_dry_run
from services.ingestion.wire.caller import calling_client, origin
from services.ingestion.wire.facts import tell_accepted

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Awaitable[HttpBody]]"

REPLAYED = {"idempotent-replayed": "true"}

log = structlog.get_logger()


class ImportApi(import_api_pb2_grpc.ImportApiServicer):
    """The import API of import-api.txt."""

    def __init__(
        self,
        *,
        imports: ImportContacts,
        follow: FollowJobs,
        check: Callable[[], Awaitable[None]],
        clock: Clock,
        version: str,
    ) -> None:
        """`check` raises when the database does not answer."""
        self._imports = imports
        self._follow = follow
        self._check = check
        self._clock = clock
        self._version = version

    async def Import(self, request: HttpBody, context: Context) -> HttpBody:
        """Accepts an import, or rehearses it."""
        check_content_type(request.content_type)
        key = idempotency_key(context.invocation_metadata() or ())
        body = await decode(request.data)
        asked = Import(client=calling_client(), origin=origin(), key=key, fingerprint=body.fingerprint, rows=body.rows)
        if is_dry_run(current_headers()):
            drafted = await self._imports.rehearse(asked)
            return await answer(context, body=answers.rehearsed(drafted, body.rows))
        done = await self._imports.accept(asked)
        if done.job:
            tell_accepted(done.job)
        return await answer(context, status=done.status, body=done.body, headers=REPLAYED if done.replayed else None)

    async def GetImport(self, request: GetImportRequest, context: Context) -> HttpBody:
        """The job as documented."""
        record = await self._follow.get(JobId(request.job_id), viewer=calling_client().client_id)
        return await answer(context, body=answers.job_body(record))

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
