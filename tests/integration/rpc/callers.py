"""Services that call the world's server."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from contactsync.idempotency.v1 import idempotency_service_pb2 as idempotency_pb
from contactsync.idempotency.v1.idempotency_service_pb2_grpc import IdempotencyServiceStub
from contactsync.ingestion.v1 import ingestion_service_pb2 as ingestion_pb
from contactsync.ingestion.v1.ingestion_service_pb2_grpc import IngestionServiceStub

from libs.rpc import Identity, Peer
from libs.rpc.identity import Shown

FETCH = ingestion_pb.FetchChunksRequest(chunk_ids=["c"])
RELEASE = idempotency_pb.ReleaseManyRequest(items=[idempotency_pb.ReleaseItem(client_id="a", key="k", fence=1)])
FETCHING = "contactsync.ingestion.v1.IngestionService/FetchChunks"
RELEASING = "contactsync.idempotency.v1.IdempotencyService/ReleaseMany"


class CallerHere(Identity):
    """A service that calls this server, which serves methods of several services."""

    shows = 0
    """How often it said who it is: once for a stream, and for each call by itself."""

    def shown(self, service: str) -> Sequence[tuple[str, str]]:
        self.shows += 1
        return super().shown("ingestion")


class Alone:
    """The same service as one that is no service to `Peer`, which then makes every call by itself."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    def shown(self, service: str) -> Sequence[tuple[str, str]]:
        return self._identity.shown(service)


@asynccontextmanager
async def calling(address: str, identity: Shown) -> AsyncIterator[Peer]:
    peer = Peer(address, identity=identity)
    yield peer
    await peer.close()


def fetching(peer: Peer) -> Any:
    return IngestionServiceStub(peer.channel).FetchChunks


def releasing(peer: Peer) -> Any:
    return IdempotencyServiceStub(peer.channel).ReleaseMany
