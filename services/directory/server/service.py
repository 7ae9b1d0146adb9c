"""The typed service: wire to handler and back."""

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

import grpc
from contactsync.directory.v1 import directory_service_pb2 as pb
from contactsync.directory.v1 import directory_service_pb2_grpc
from google.protobuf.message import Message

from libs.rpc import serve_item
from services.directory.domain.contact import WorkspaceId
from services.directory.domain.delivery import Delivery, DeliveryId
from services.directory.domain.errors import ValueRefusedError
from services.directory.domain.leads import NoWorkspace
from services.directory.domain.workspace import FIRST_WORKSPACE
from services.directory.handler import Directory
from services.directory.handler.operating import Operating
from services.directory.server.contacts_json import MalformedDeliveryError, read_contacts
from services.directory.server.mapping import (
    read_contact_name,
    read_filter,
    read_identities,
    read_page_token,
    read_values,
    refused,
    write_contact,
    write_result,
)

_APPLY = "contactsync.directory.v1.DirectoryService/ApplyMany"

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)
Context = grpc.aio.ServicerContext[Request, Awaitable[Response]]

_USUAL_PAGE: Final = 100
_MALFORMED: Final = pb.ApplyResult(
    failures=[pb.ApplyFailure(reason="The delivery is not a JSON array of 1 to 1000 contacts.")]
)
_NO_WORKSPACE: Final = pb.ApplyResult(failures=[pb.ApplyFailure(reason="There is no such workspace.")])


class DirectoryServicer(directory_service_pb2_grpc.DirectoryServiceServicer):
    """contactsync.directory.v1.DirectoryService over the handler. Callers and requests were checked at the door."""

    def __init__(self, directory: Directory, operating: Operating) -> None:
        self._directory = directory
        self._operating = operating

    async def ApplyMany(
        self, request: pb.ApplyManyRequest, context: Context[pb.ApplyManyRequest, pb.ApplyManyResponse]
    ) -> pb.ApplyManyResponse:
        """Each item is a unit of its own. When one cannot be written the call fails; a repeat harms no other."""
        return pb.ApplyManyResponse(results=await asyncio.gather(*map(self._apply, request.items)))

    async def ListContacts(
        self, request: pb.ListContactsRequest, context: Context[pb.ListContactsRequest, pb.ListContactsResponse]
    ) -> pb.ListContactsResponse:
        page = await self._directory.list(
            _workspace(request.workspace_id),
            read_filter(request),
            after=read_page_token(request.page_token),
            size=request.page_size or _USUAL_PAGE,
        )
        return pb.ListContactsResponse(
            contacts=map(write_contact, page.contacts),
            next_page_token=page.contacts[-1].contact_id if page.more else "",
            total_contacts=page.total,
        )

    async def GetContact(
        self, request: pb.GetContactRequest, context: Context[pb.GetContactRequest, pb.GetContactResponse]
    ) -> pb.GetContactResponse:
        contact = await self._operating.find(_workspace(request.workspace_id), read_contact_name(request.contact_id))
        return pb.GetContactResponse(contact=write_contact(contact))

    async def ChangeContact(
        self, request: pb.ChangeContactRequest, context: Context[pb.ChangeContactRequest, pb.ChangeContactResponse]
    ) -> pb.ChangeContactResponse:
        workspace_id, values = _workspace(request.workspace_id), read_values(request)
        try:
            contact = await self._operating.change(workspace_id, read_contact_name(request.contact_id), values)
        except ValueRefusedError as error:
            raise refused(f"/set/{error.field}", error.problem) from None
        return pb.ChangeContactResponse(contact=write_contact(contact))

    async def DeleteContact(
        self, request: pb.DeleteContactRequest, context: Context[pb.DeleteContactRequest, pb.DeleteContactResponse]
    ) -> pb.DeleteContactResponse:
        await self._operating.delete(_workspace(request.workspace_id), read_contact_name(request.contact_id))
        return pb.DeleteContactResponse()

    async def EraseContacts(
        self, request: pb.EraseContactsRequest, context: Context[pb.EraseContactsRequest, pb.EraseContactsResponse]
    ) -> pb.EraseContactsResponse:
        return pb.EraseContactsResponse(erased_contacts=await self._directory.erase(read_identities(request)))

    async def _apply(self, item: pb.ApplyItem) -> pb.ApplyResult:
        with serve_item(item.context, "directory.Apply", method=_APPLY):
            try:
                contacts = read_contacts(item.contacts_json, source_id=item.source_id)
            except MalformedDeliveryError:
                return _MALFORMED
            delivery = Delivery(DeliveryId(item.delivery_id), _workspace(item.workspace_id), contacts)
            applied = await self._directory.apply(delivery)
            return _NO_WORKSPACE if isinstance(applied, NoWorkspace) else write_result(applied)


def _workspace(given: str) -> WorkspaceId:
    """Empty means the first one."""
    return WorkspaceId(given) if given else FIRST_WORKSPACE
