"""Echoes, from delivery."""

from collections.abc import Sequence
from datetime import timedelta

from contactsync.delivery.v1 import delivery_service_pb2 as pb
from contactsync.delivery.v1.delivery_service_pb2_grpc import DeliveryServiceStub
from typing_extensions import override

from libs.rpc import Peer, PeerRefused, PeerUnavailable
from services.source_polling.domain.errors import PartUnavailableError
from services.source_polling.ports.peers import Echoes, SeenChange

CALL_TIMEOUT = timedelta(seconds=15)


class RpcEchoes(Echoes):
    """Asked page by page."""

    def __init__(self, delivery: Peer) -> None:
        self._peer = delivery
        self._stub = DeliveryServiceStub(delivery.channel)

    @override
    async def recognize(self, url: str, changes: Sequence[SeenChange]) -> Sequence[bool]:
        """Ask once."""
        asked = [pb.SeenChange(remote_id=each.remote_id, fields=each.fields) for each in changes]
        request = pb.RecognizeEchoesRequest(url=url, changes=asked)
        try:
            told = await self._peer.call(self._stub.RecognizeEchoes, request, timeout=CALL_TIMEOUT, repeatable=True)
        except (PeerUnavailable, PeerRefused):
            raise PartUnavailableError("delivery") from None
        return list(told.echoes)
