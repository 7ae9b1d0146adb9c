from collections.abc import Sequence

from contactsync.normalization.v1 import normalization_service_pb2 as pb
from contactsync.normalization.v1.normalization_service_pb2_grpc import NormalizationServiceStub

from libs.rpc import Batch, Peer, call_context
from services.ingestion.domain.rows import Normalized, Texts
from services.ingestion.peers.failures import as_refusals

ITEMS = 64
TEXTS = 10_000
# Over it an import goes with its like: the calls under way are few, and one of a thousand texts takes as long as a
# small import in all.
FEW = 200
# One more than the service takes: enough for it to see that a text is too long.
PHONE_ROOM = 257
EMAIL_ROOM = 321


class RpcNormalizer:
    """Normalisation by the normalization service; small requests that come together share a call."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._stub = NormalizationServiceStub(peer.channel)
        self._few, self._many = self._batch(), self._batch()

    def _batch(self) -> Batch[pb.NormalizeItem, tuple[pb.NormalizeResult, str]]:
        return Batch(self._normalize_many, limit=ITEMS, weigh=_weight, max_weight=TEXTS)

    async def normalize(self, texts: Texts, *, default_region: str) -> Normalized:
        """What each text came to."""
        item = pb.NormalizeItem(
            context=call_context(),
            default_region=default_region,
            phones=_bounded(texts.phones, PHONE_ROOM),
            emails=_bounded(texts.emails, EMAIL_ROOM),
        )
        batch = self._few if _weight(item) <= FEW else self._many
        with as_refusals():
            result, version = await batch.ask(item)
        return Normalized(
            e164=list(result.e164),
            regions=list(result.regions),
            decided_by=result.decided_by,
            phone_refusals=result.phone_refusals,
            emails=list(result.emails),
            email_refusals=result.email_refusals,
            metadata_version=version,
        )

    async def _normalize_many(self, items: Sequence[pb.NormalizeItem]) -> list[tuple[pb.NormalizeResult, str]]:
        response = await self._peer.call(self._stub.NormalizeMany, pb.NormalizeManyRequest(items=items))
        return [(result, response.metadata_version) for result in response.results]


def _weight(item: pb.NormalizeItem) -> int:
    return len(item.phones) + len(item.emails)


def _bounded(texts: Sequence[str], room: int) -> Sequence[str]:
    """A text of megabytes need not travel to be refused."""
    if not texts or max(map(len, texts)) < room:
        return texts
    return [text[:room] for text in texts]
