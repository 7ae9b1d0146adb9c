from collections.abc import Awaitable, Mapping
from typing import Any, Final, TypeAlias

import grpc
from contactsync.directory.v1 import async_api_pb2 as pb
from contactsync.directory.v1 import async_api_pb2_grpc
from google.api.httpbody_pb2 import HttpBody

from libs.rpc import answer, call_context, current_workspace
from services.directory.domain.contact import WorkspaceId
from services.directory.domain.telecrm.refusals import BadRequestError
from services.directory.handler.telecrm import Intake
from services.directory.handler.telecrm.leads import given_actions
from services.directory.rest.telecrm.answers import encode
from services.directory.rest.telecrm.bodies import read_object

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Awaitable[HttpBody]]"

QUEUED: Final = encode({"status": "QUEUED"})


class AsyncApi(async_api_pb2_grpc.AsyncApiServicer):
    """The Async API beside the Sync API: what is accepted is on disk, and what becomes of it is not told."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    async def AutoUpdateLead(self, request: pb.AutoUpdateLeadRequest, context: Context) -> HttpBody:
        _check_shape(read_object(request.body.data))
        told = call_context()
        await self._intake.accept(
            WorkspaceId(current_workspace().workspace_id),
            request.body.data.decode(),
            correlation_id=told.correlation_id,
            traceparent=told.traceparent,
        )
        return await answer(context, body=QUEUED)


def _check_shape(body: Mapping[str, object]) -> None:
    """What a lead must look like at all; whether its values fit is not told. Raises BadRequestError."""
    if not isinstance(body.get("fields", {}), dict):
        raise BadRequestError("fields must be an object")
    given_actions(body)
