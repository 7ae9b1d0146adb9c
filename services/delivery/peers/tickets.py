"""How many tickets wait, from the bus."""

from typing_extensions import override

from libs.bus import Bus, BusUnavailable
from services.delivery.ports import Tickets


class BusTickets(Tickets):
    """Asks about one consumer of one stream."""

    def __init__(self, bus: Bus, *, stream: str, consumer: str) -> None:
        self._bus = bus
        self._stream = stream
        self._consumer = consumer

    @override
    async def waiting(self) -> int | None:
        try:
            return await self._bus.waiting(self._stream, self._consumer)
        except BusUnavailable:
            return None
