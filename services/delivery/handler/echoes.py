"""Telling news from the echo of the hub's own writing."""

from collections.abc import Sequence

from services.delivery.domain.echo import Written, is_system, system_of
from services.delivery.ports import Destinations, Echoes


class EchoRecognizer:
    """Answers for whoever reads the systems that delivery writes to."""

    def __init__(self, destinations: Destinations, echoes: Echoes) -> None:
        self._destinations = destinations
        self._echoes = echoes

    async def recognize(self, url: str, seen: Sequence[Written]) -> Sequence[bool]:
        """Tell which changes, seen at the source of this URL, are what the hub wrote there last."""
        destinations = await self._destinations.list()
        systems = sorted({system_of(each) for each in destinations if is_system(url, each)})
        return await self._echoes.recognize(systems, seen) if systems else [False] * len(seen)
