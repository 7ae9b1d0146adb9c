"""Asking normalization for few texts beside many."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from contactsync.normalization.v1 import normalization_service_pb2 as pb

from libs.rpc import Peer
from services.ingestion.domain.rows import Texts
from services.ingestion.peers.normalization import FEW, RpcNormalizer

IN_FLIGHT = 2
"""Calls of one kind."""
MANY = Texts(["+79001234567"] * (FEW + 1))


class StandingStill:
    """A peer that answers for few texts and never for many."""

    def __init__(self) -> None:
        self.channel = SimpleNamespace(unary_unary=lambda *_, **__: None)
        self.asked = asyncio.Event()

    async def call(self, _method: Any, request: pb.NormalizeManyRequest, **_: Any) -> pb.NormalizeManyResponse:
        if any(len(item.phones) > FEW for item in request.items):
            self.asked.set()
            await asyncio.get_running_loop().create_future()
        results = [pb.NormalizeResult(e164=item.phones) for item in request.items]
        return pb.NormalizeManyResponse(results=results, metadata_version="1")


async def test_few_texts_do_not_wait_behind_many() -> None:
    peer = StandingStill()
    normalizer = RpcNormalizer(cast("Peer", peer))
    large = []
    for _ in range(IN_FLIGHT):
        large.append(asyncio.create_task(normalizer.normalize(MANY, default_region="RU")))
        await peer.asked.wait()
        peer.asked.clear()

    few = await normalizer.normalize(Texts(["+79001234567"]), default_region="RU")

    assert few.e164 == ["+79001234567"]
    for task in large:
        task.cancel()
    await asyncio.gather(*large, return_exceptions=True)
