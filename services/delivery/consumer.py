"""Tickets from the bus."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog
from contactsync.delivery.v1.ticket_pb2 import DeliveryRef, DeliveryTicket
from google.protobuf.message import DecodeError
from msgspec.structs import replace

from libs.bus import Ack, Bus, GiveUp, Message, Retry, Verdict, delivering_items
from libs.rpc import PeerUnavailable
from services.delivery.domain.delivery import ChunkId, DeliveryKey, Ref
from services.delivery.domain.destination import DestinationId
from services.delivery.handler.deliver import Deliverer, InterruptedDeliveriesError
from services.delivery.handler.lanes import LanesClosedError

STREAM = "DELIVERY"
CONSUMER = "delivery"
IN_FLIGHT = 64
"""Tickets at once. Each may name a hundred deliveries; the lanes bound what is sent at once."""
AT_HAND = 256
"""Deliveries of tickets at once, so that none waits for a place for as long as puts it on disk, where all go fast."""

log = structlog.get_logger()


class TicketConsumer:
    """Acknowledges a ticket when all it names is on disk as tried, waiting or final."""

    def __init__(self, deliverer: Deliverer) -> None:
        self._deliverer = deliverer
        self._room = Room(AT_HAND)

    async def run(self, bus: Bus) -> None:
        """Take tickets until cancelled."""
        await bus.consume(STREAM, CONSUMER, self.deliver, in_flight=IN_FLIGHT)

    async def deliver(self, message: Message) -> Verdict:
        """Deliver what a ticket names. The database is the truth: a ticket that comes again changes nothing."""
        try:
            refs = read_ticket(message.payload)
        except (DecodeError, ValueError) as error:
            return GiveUp(f"it is no ticket: {type(error).__name__}")
        try:
            async with self._room.held(len(refs)):
                with delivering_items(message.subject, refs, _about) as traceparents:
                    await self._deliverer.deliver(_under(traceparents, refs))
        except (InterruptedDeliveriesError, PeerUnavailable, LanesClosedError) as interrupted:
            log.warning("ticket_interrupted", why=str(interrupted.__cause__ or type(interrupted).__name__))
            return Retry()
        return Ack()


class Room:
    """Room for so many deliveries, given in the order of asking. A ticket that names more gets it alone."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._taken = 0
        self._turn = asyncio.Lock()
        self._left = asyncio.Event()

    @asynccontextmanager
    async def held(self, count: int) -> AsyncIterator[None]:
        """Hold room while the block runs."""
        async with self._turn:
            while self._taken and self._taken + count > self._size:
                self._left.clear()
                await self._left.wait()
            self._taken += count
        try:
            yield
        finally:
            self._taken -= count
            self._left.set()


def read_ticket(payload: bytes) -> list[Ref]:
    """Read what a ticket names; DecodeError or ValueError when it is none."""
    refs = [_read_ref(each) for each in DeliveryTicket.FromString(payload).deliveries]
    if not all(ref.key.chunk_id and ref.key.destination_id for ref in refs):
        raise ValueError("a delivery without ids")
    return refs


def _about(ref: Ref) -> dict[str, str]:
    return {"chunk_id": ref.key.chunk_id, "destination_id": ref.key.destination_id}


def _under(traceparents: Sequence[str], refs: Sequence[Ref]) -> list[Ref]:
    """The deliveries as parts of the spans that stand for them here."""
    return [
        ref if ref.traceparent == traceparent else replace(ref, traceparent=traceparent)
        for ref, traceparent in zip(refs, traceparents, strict=True)
    ]


def _read_ref(ref: DeliveryRef) -> Ref:
    return Ref(
        DeliveryKey(ChunkId(ref.chunk_id), DestinationId(ref.destination_id), ref.round),
        correlation_id=ref.correlation_id,
        traceparent=ref.traceparent,
        positions=tuple(ref.positions),
    )
