"""The typed service: wire to handler and back, and one log line per change."""

from collections.abc import Awaitable
from typing import TypeVar

import grpc
import structlog
from contactsync.access.v1 import access_service_pb2 as pb
from contactsync.access.v1 import access_service_pb2_grpc
from google.protobuf.message import Message

from libs.rpc import current_client, serve_together
from services.access.handler import Access
from services.access.server.mapping import read_settings, write_client, write_result

_AUTHENTICATE = "contactsync.access.v1.AccessService/AuthenticateMany"

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)
Context = grpc.aio.ServicerContext[Request, Awaitable[Response]]

_log = structlog.get_logger()


class AccessServicer(access_service_pb2_grpc.AccessServiceServicer):
    """contactsync.access.v1.AccessService over the handler. Callers and requests were checked at the door."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def AuthenticateMany(
        self,
        request: pb.AuthenticateManyRequest,
        context: Context[pb.AuthenticateManyRequest, pb.AuthenticateManyResponse],
    ) -> pb.AuthenticateManyResponse:
        with serve_together(request.contexts, "access.Authenticate", method=_AUTHENTICATE):
            found = await self._access.authenticate(request.keys)
        return pb.AuthenticateManyResponse(results=[write_result(result) for result in found])

    async def CreateClient(
        self, request: pb.CreateClientRequest, context: Context[pb.CreateClientRequest, pb.CreateClientResponse]
    ) -> pb.CreateClientResponse:
        issued = await self._access.create(name=request.name, settings=read_settings(request.settings))
        _log.info(
            "client_created",
            by=current_client().client_id,
            client_id=issued.client.client_id,
            key_id=issued.client.keys[-1].key_id,
        )
        return pb.CreateClientResponse(
            client=write_client(issued.client), api_key=issued.api_key, hmac_secret=issued.hmac_secret
        )

    async def ListClients(
        self, request: pb.ListClientsRequest, context: Context[pb.ListClientsRequest, pb.ListClientsResponse]
    ) -> pb.ListClientsResponse:
        return pb.ListClientsResponse(clients=map(write_client, await self._access.list_clients()))

    async def GetClient(
        self, request: pb.GetClientRequest, context: Context[pb.GetClientRequest, pb.GetClientResponse]
    ) -> pb.GetClientResponse:
        return pb.GetClientResponse(client=write_client(await self._access.get(request.client_id)))

    async def UpdateClient(
        self, request: pb.UpdateClientRequest, context: Context[pb.UpdateClientRequest, pb.UpdateClientResponse]
    ) -> pb.UpdateClientResponse:
        updated = await self._access.update(
            request.client_id,
            settings=read_settings(request.settings) if request.HasField("settings") else None,
            enabled=request.enabled if request.HasField("enabled") else None,
        )
        _log.info(
            "client_updated",
            by=current_client().client_id,
            client_id=updated.client.client_id,
            enabled=updated.client.enabled,
        )
        return pb.UpdateClientResponse(client=write_client(updated.client), hmac_secret=updated.hmac_secret)

    async def RotateKey(
        self, request: pb.RotateKeyRequest, context: Context[pb.RotateKeyRequest, pb.RotateKeyResponse]
    ) -> pb.RotateKeyResponse:
        overlap = request.overlap.ToTimedelta() if request.HasField("overlap") else None
        issued = await self._access.rotate(request.client_id, overlap=overlap)
        _log.info(
            "key_rotated",
            by=current_client().client_id,
            client_id=issued.client.client_id,
            key_id=issued.client.keys[-1].key_id,
        )
        return pb.RotateKeyResponse(
            client=write_client(issued.client), api_key=issued.api_key, hmac_secret=issued.hmac_secret
        )

    async def RevokeKeys(
        self, request: pb.RevokeKeysRequest, context: Context[pb.RevokeKeysRequest, pb.RevokeKeysResponse]
    ) -> pb.RevokeKeysResponse:
        client = await self._access.revoke(request.client_id, key_id=request.key_id)
        _log.info(
            "keys_revoked", by=current_client().client_id, client_id=client.client_id, key_id=request.key_id or "all"
        )
        return pb.RevokeKeysResponse(client=write_client(client))
