"""Sources, from source_polling."""

from collections.abc import Sequence
from datetime import timedelta

from contactsync.source_polling.v1.source_polling_service_pb2 import ListSourcesRequest
from contactsync.source_polling.v1.source_polling_service_pb2_grpc import SourcePollingServiceStub
from typing_extensions import override

from libs.rpc import Peer
from services.delivery.domain.destination import DestinationId
from services.delivery.ports.operating import Sources

CALL_TIMEOUT = timedelta(seconds=10)


class PolledSources(Sources):
    """Raises PeerUnavailable and PeerRefused."""

    def __init__(self, source_polling: Peer) -> None:
        self._peer = source_polling
        self._stub = SourcePollingServiceStub(source_polling.channel)

    @override
    async def leading_to(self, destination_id: DestinationId) -> Sequence[str]:
        response = await self._peer.call(self._stub.ListSources, ListSourcesRequest(), timeout=CALL_TIMEOUT)
        return [
            each.settings.name or each.id
            for each in response.sources
            if destination_id in each.settings.destination_ids
        ]
