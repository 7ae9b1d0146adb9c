from collections.abc import Mapping, Sequence

from contactsync.normalization.v1 import normalization_service_pb2 as pb
from contactsync.normalization.v1.normalization_service_pb2_grpc import NormalizationServiceStub

from libs.rpc import Batch, Peer, call_context

_ITEMS = 64
_TEXTS = 10_000


class RpcPhones:
    """Phones read by the normalization service; small requests that come together share a call."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._stub = NormalizationServiceStub(peer.channel)
        self._batch: Batch[pb.NormalizeItem, pb.NormalizeResult] = Batch(
            self._normalize_many, limit=_ITEMS, weigh=lambda item: len(item.phones), max_weight=_TEXTS
        )

    async def read(self, phones: Sequence[str], *, country: str) -> Mapping[str, str]:
        """As the port says: a number of the country first, else one with a country code that lacks its +."""
        if not phones:
            return {}
        signed = [f"+{phone.strip().removeprefix('+')}" for phone in phones]
        item = pb.NormalizeItem(context=call_context(), default_region=country, phones=[*phones, *signed])
        result = await self._batch.ask(item)
        national, international = result.e164[: len(phones)], result.e164[len(phones) :]
        found = zip(phones, national, international, strict=True)
        return {phone: first or second for phone, first, second in found if first or second}

    async def _normalize_many(self, items: Sequence[pb.NormalizeItem]) -> list[pb.NormalizeResult]:
        response = await self._peer.call(self._stub.NormalizeMany, pb.NormalizeManyRequest(items=items))
        return list(response.results)
