"""API clients, from access."""

from collections.abc import Sequence
from datetime import timedelta

from contactsync.access.v1.access_service_pb2 import ListClientsRequest
from contactsync.access.v1.access_service_pb2_grpc import AccessServiceStub
from typing_extensions import override

from libs.rpc import Peer
from services.delivery.domain.destination import DestinationId
from services.delivery.ports.operating import Clients

CALL_TIMEOUT = timedelta(seconds=10)


class AccessClients(Clients):
    """Raises PeerUnavailable and PeerRefused."""

    def __init__(self, access: Peer) -> None:
        self._peer = access
        self._stub = AccessServiceStub(access.channel)

    @override
    async def senders_to(self, destination_id: DestinationId) -> Sequence[str]:
        response = await self._peer.call(self._stub.ListClients, ListClientsRequest(), timeout=CALL_TIMEOUT)
        return [each.name or each.id for each in response.clients if destination_id in each.settings.destination_ids]
