"""The connect contacts API: wire to handler and back."""

from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import Any, Final

import grpc
import orjson
from contactsync.directory.v1 import connect_api_pb2 as pb
from contactsync.directory.v1 import connect_api_pb2_grpc
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.empty_pb2 import Empty

from libs.json import UnfitJsonError, parse
from libs.rpc import Refusal, answer, current_workspace
from services.directory.domain.connect.reading import Unfit
from services.directory.domain.connect.showing import contact_view, me_view, status_view
from services.directory.domain.contact import WorkspaceId
from services.directory.handler.connect import Connect, Shown

Context = grpc.aio.ServicerContext[Any, Awaitable[HttpBody]]
StreamContext = grpc.aio.ServicerContext[pb.ListConnectContactsRequest, AsyncIterator[HttpBody]]
_JSON: Final = "application/json"
_PIECE: Final = 256 * 1024
"""Bytes from which a piece of a list is sent: a contact may be large, and a message must not be."""


class ConnectServicer(connect_api_pb2_grpc.ConnectApiServicer):
    """contactsync.directory.v1.ConnectApi over the handler. Keys were checked at the door."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect

    async def ListConnectContacts(
        self, request: pb.ListConnectContactsRequest, context: StreamContext
    ) -> AsyncIterator[HttpBody]:
        """One array, however many pieces it comes in."""
        piece = bytearray(b"[")
        between = b""
        async for shown in self._connect.contacts(_workspace(), request.query):
            for contact in _contacts(shown):
                if len(piece) >= _PIECE:
                    yield HttpBody(content_type=_JSON, data=bytes(piece))
                    piece.clear()
                piece += between + contact
                between = b","
        yield HttpBody(content_type=_JSON, data=bytes(piece + b"]"))

    async def CreateConnectContact(self, request: HttpBody, context: Context) -> HttpBody:
        created = await self._connect.create(_workspace(), _read(request.data))
        if isinstance(created, Unfit):
            raise Refusal("VALIDATION_ERROR", created.message)
        return await answer(context, body=b"".join(_contacts(created)))

    async def ListConnectLeadStatuses(self, request: Empty, context: Context) -> HttpBody:
        workspace = await self._connect.workspace(_workspace())
        statuses = sorted(workspace.lead_statuses, key=lambda status: status.order)
        return await answer(context, body=orjson.dumps([status_view(status) for status in statuses]))

    async def GetConnectUser(self, request: Empty, context: Context) -> HttpBody:
        workspace = await self._connect.workspace(_workspace())
        user = await self._connect.user(workspace.workspace_id, current_workspace().user)
        return await answer(context, body=orjson.dumps(me_view(workspace, user)))


def _workspace() -> WorkspaceId:
    return WorkspaceId(current_workspace().workspace_id)


def _contacts(shown: Shown) -> Iterator[bytes]:
    statuses = shown.workspace.lead_statuses
    return (orjson.dumps(contact_view(contact, statuses)) for contact in shown.contacts)


def _read(body: bytes) -> dict[str, object]:
    try:
        given = parse(body).tree
    except UnfitJsonError:
        given = None
    if not isinstance(given, dict):
        raise Refusal("VALIDATION_ERROR", "Invalid JSON")
    return given
