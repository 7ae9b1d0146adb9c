"""Chunks, from ingestion."""

from collections.abc import Sequence
from datetime import UTC, timedelta

from contactsync.ingestion.v1 import ingestion_service_pb2
from contactsync.ingestion.v1.ingestion_service_pb2 import FetchChunksRequest
from contactsync.ingestion.v1.ingestion_service_pb2_grpc import IngestionServiceStub
from typing_extensions import override

from libs.rpc import Batch, Peer
from services.delivery.domain.delivery import Chunk, ChunkId
from services.delivery.ports import Chunks

CALL_TIMEOUT = timedelta(seconds=15)
"""Outlasts a restart of ingestion."""
REST = timedelta(milliseconds=20)
"""Of a destination's answers each lets one delivery more in: asked for one by one, their chunks are as many calls."""


class IngestionChunks(Chunks):
    """Fetches chunks that are asked for together in one call. Raises PeerUnavailable and PeerRefused."""

    def __init__(self, ingestion: Peer) -> None:
        self._peer = ingestion
        self._stub = IngestionServiceStub(ingestion.channel)
        self._fetches = Batch(self._fetch_all, limit=64, in_flight=1, rest=REST)

    @override
    async def fetch(self, chunk_id: ChunkId) -> Chunk | None:
        """Give a chunk."""
        return await self._fetches.ask(chunk_id)

    async def _fetch_all(self, asked: Sequence[ChunkId]) -> Sequence[Chunk | None]:
        """An answer may hold fewer than were asked for: the rest is asked for again."""
        missing = list(dict.fromkeys(asked))
        found: dict[ChunkId, Chunk | None] = {}
        while missing:
            request = FetchChunksRequest(chunk_ids=missing)
            response = await self._peer.call(self._stub.FetchChunks, request, timeout=CALL_TIMEOUT, repeatable=True)
            if not response.chunks:
                raise ValueError("ingestion answered without chunks")
            for chunk_id, chunk in zip(missing, response.chunks, strict=False):
                found[chunk_id] = _read(chunk) if chunk.chunk_id else None
            missing = missing[len(response.chunks) :]
        return [found[chunk_id] for chunk_id in asked]


def _read(chunk: ingestion_service_pb2.Chunk) -> Chunk:
    return Chunk(
        chunk_id=ChunkId(chunk.chunk_id),
        client_id=chunk.client_id,
        size=chunk.size,
        contacts=chunk.contacts_json,
        created_at=chunk.created_at.ToDatetime(UTC) if chunk.HasField("created_at") else None,
        erased=tuple(chunk.erased_positions),
        workspace_id=chunk.workspace_id,
        source_id=chunk.source_id,
    )
