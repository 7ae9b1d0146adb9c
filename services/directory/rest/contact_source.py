"""A custom contact source: wire to handler and back."""

from collections.abc import Awaitable
from typing import Any

import grpc
import orjson
from contactsync.directory.v1 import contact_source_api_pb2 as pb
from contactsync.directory.v1 import contact_source_api_pb2_grpc
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.empty_pb2 import Empty

from libs.rpc import Refusal, answer, current_workspace
from services.directory.domain.contact import WorkspaceId
from services.directory.domain.contact_source.asking import Paging, Unfit, read_paging, read_since
from services.directory.domain.contact_source.showing import contact_view
from services.directory.domain.credential import CredentialId
from services.directory.handler.contact_source import ContactSource, Walker
from services.directory.handler.credentials import Credentials

Context = grpc.aio.ServicerContext[Any, Awaitable[HttpBody]]
Pages = pb.ListSourceContactsRequest | pb.ListSourceDeltaRequest


class ContactSourceServicer(contact_source_api_pb2_grpc.ContactSourceApiServicer):
    """contactsync.directory.v1.ContactSourceApi over the handler. Secrets and tokens were checked at the door."""

    def __init__(self, source: ContactSource, credentials: Credentials) -> None:
        self._source = source
        self._credentials = credentials

    async def GetSourceToken(self, request: Empty, context: Context) -> HttpBody:
        token = self._credentials.issue_source_token(_walker().access)
        return await answer(context, body=orjson.dumps({"token": token}))

    async def ListSourceContacts(self, request: pb.ListSourceContactsRequest, context: Context) -> HttpBody:
        page = await self._source.contacts(_workspace(), _walker(), _paging(request))
        contacts = [contact_view(contact) for contact in page.contacts]
        return await answer(context, body=orjson.dumps({"contacts": contacts, "has_more": page.more}))

    async def ListSourceDelta(self, request: pb.ListSourceDeltaRequest, context: Context) -> HttpBody:
        paging = _paging(request)
        since = read_since(request.timestamp if request.HasField("timestamp") else None)
        if isinstance(since, Unfit):
            raise Refusal("VALIDATION_ERROR", since.message)
        page = await self._source.delta(_workspace(), _walker(), paging, since=since)
        updated = [contact_view(contact) for contact in page.updated]
        body = {"updated": updated, "deleted": list(page.deleted), "has_more": page.more}
        return await answer(context, body=orjson.dumps(body))


def _paging(request: Pages) -> Paging:
    paging = read_paging(
        request.limit if request.HasField("limit") else None, request.page if request.HasField("page") else None
    )
    if isinstance(paging, Unfit):
        raise Refusal("VALIDATION_ERROR", paging.message)
    return paging


def _workspace() -> WorkspaceId:
    return WorkspaceId(current_workspace().workspace_id)


def _walker() -> Walker:
    caller = current_workspace()
    return Walker(CredentialId(caller.credential_id), caller.token_id)
