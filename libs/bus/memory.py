"""The bus inside one process: for tests and for a hub without a server. Nothing outlives the process."""

from libs.bus.ports import Deliver, StreamSpec
from libs.bus.streams import STREAMS


class MemoryBus:
    """The promises of `Bus`, but for the disk."""

    def __init__(self, streams: tuple[StreamSpec, ...] = STREAMS) -> None:
        self._streams = streams

    async def publish(self, subject: str, payload: bytes, *, message_id: str) -> None:
        raise NotImplementedError

    async def consume(self, stream: str, consumer: str, deliver: Deliver, *, in_flight: int) -> None:
        raise NotImplementedError

    async def check(self) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError
