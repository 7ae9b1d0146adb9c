"""Destinations as one of several replicas has them: with its part of what each of them bears."""

from collections.abc import Sequence
from dataclasses import replace

from typing_extensions import override

from services.delivery.domain.destination import Destination, DestinationId
from services.delivery.ports import Destinations


class SharedDestinations(Destinations):
    """Parts at once and parts a second are divided by the number of replicas, at least one at once being left."""

    def __init__(self, whole: Destinations, *, replicas: int) -> None:
        self._whole = whole
        self._replicas = replicas
        self._parts: dict[DestinationId, tuple[Destination, Destination]] = {}

    @override
    async def find(self, destination_id: DestinationId) -> Destination | None:
        found = await self._whole.find(destination_id)
        return None if found is None else self._part(found)

    @override
    async def list(self) -> Sequence[Destination]:
        return [self._part(each) for each in await self._whole.list()]

    @override
    async def put(self, destination: Destination) -> bool:
        return await self._whole.put(destination)

    def _part(self, whole: Destination) -> Destination:
        """Remembered, since every delivery asks for it."""
        known = self._parts.get(whole.destination_id)
        if known is not None and known[0] is whole:
            return known[1]
        part = replace(whole, concurrency=max(1, whole.concurrency // self._replicas), rate=whole.rate / self._replicas)
        self._parts[whole.destination_id] = whole, part
        return part
