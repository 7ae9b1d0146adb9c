from collections.abc import Sequence

from contactsync.delivery.v1.delivery_service_pb2 import ForgetAnswersRequest
from contactsync.delivery.v1.delivery_service_pb2_grpc import DeliveryServiceStub

from libs.rpc import Peer
from services.ingestion.domain.ids import ChunkId
from services.ingestion.peers.failures import as_refusals

CHUNKS = 1000


class RpcTries:
    """Tries, as delivery keeps them."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._stub = DeliveryServiceStub(peer.channel)

    async def forget(self, chunk_ids: Sequence[ChunkId]) -> None:
        """Nothing of the answers about these chunks is kept from here on."""
        for begin in range(0, len(chunk_ids), CHUNKS):
            request = ForgetAnswersRequest(chunk_ids=chunk_ids[begin : begin + CHUNKS])
            with as_refusals():
                await self._peer.call(self._stub.ForgetAnswers, request)
