"""The bus on NATS JetStream."""

from typing import Self

from libs.bus.ports import Deliver, StreamSpec
from libs.bus.streams import STREAMS


class JetStreamBus:
    """The promises of `Bus` on a JetStream server, with the streams kept as their specs say.

    `bus = await JetStreamBus.open("nats://user:password@127.0.0.1:4222")`.
    """

    @classmethod
    async def open(cls, url: str, *, name: str = "contactsync", streams: tuple[StreamSpec, ...] = STREAMS) -> Self:
        """Start to connect, and return when connected or after 2 s: an absent server is waited for in the background.

        `name` is shown in the server's list of connections.
        """
        raise NotImplementedError

    async def publish(self, subject: str, payload: bytes, *, message_id: str) -> None:
        raise NotImplementedError

    async def consume(self, stream: str, consumer: str, deliver: Deliver, *, in_flight: int) -> None:
        raise NotImplementedError

    async def check(self) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError
