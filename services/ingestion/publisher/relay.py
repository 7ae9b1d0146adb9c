import asyncio
import contextlib
import hashlib
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

import structlog
from contactsync.delivery.v1.ticket_pb2 import DeliveryRef, DeliveryTicket

from libs.bus import publishing_items
from services.ingestion.domain.outcome import TicketRef
from services.ingestion.ports.store import Outbox
from services.ingestion.ports.time import Clock

TICKET_ROOM = 100
# Few, so that what queues meanwhile shares a message: a fuller ticket costs less than an earlier one.
IN_FLIGHT = 2
HANDING_OVER = timedelta(seconds=1)

log = structlog.get_logger()


class Publisher(Protocol):
    """The bus as it is needed here."""

    async def publish(self, subject: str, payload: bytes, *, message_id: str) -> None:
        """Returns once the message is on disk."""
        ...


class Relay:
    """Makes deliveries known by tickets. The database is the truth: what the bus refuses is left to the sweeper."""

    def __init__(self, *, bus: Publisher, subject: str, outbox: Outbox, clock: Clock, patience: timedelta) -> None:
        """`patience` is how long after it was made known a delivery is overdue."""
        self._bus = bus
        self._subject = subject
        self._outbox = outbox
        self._clock = clock
        self._patience = patience
        self._queue: deque[tuple[TicketRef, str]] = deque()
        self._wake = asyncio.Event()
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        self._publishing: set[asyncio.Task[None]] = set()
        self.behind = True
        """Some of the outbox may never have been published: so after a start, and after the bus refused."""

    def announce(self, tickets: Sequence[TicketRef], *, stamp: str = "") -> None:
        """Publishes the tickets soon. Another stamp makes known again what the bus would take for a repetition."""
        if tickets:
            self._queue.extend((ticket, stamp) for ticket in tickets)
            self._wake.set()

    async def run(self) -> None:
        """Publishes until cancelled; what is queued goes at once while fewer than IN_FLIGHT messages are under way."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                await self._publish_next()

    async def _publish_next(self) -> None:
        await self._slots.acquire()
        if not self._queue:  # closing takes from it as well
            self._slots.release()
            return
        task = asyncio.create_task(self._publish(self._next()))
        self._publishing.add(task)
        task.add_done_callback(self._publishing.discard)

    def _next(self) -> list[tuple[TicketRef, str]]:
        return [self._queue.popleft() for _ in range(min(TICKET_ROOM, len(self._queue)))]

    async def _publish(self, queued: list[tuple[TicketRef, str]]) -> None:
        tickets = [ticket for ticket, _ in queued]
        try:
            with publishing_items(self._subject, tickets, _about) as traceparents:
                payload = _payload(tickets, traceparents)
                await self._bus.publish(self._subject, payload, message_id=_message_id(queued))
        except Exception as error:  # noqa: BLE001 - whatever it is, the outbox still has them
            self.behind = True
            log.warning("tickets_not_published", tickets=len(tickets), error=type(error).__name__)
        else:
            now = self._clock()
            self._outbox.published(tickets, at=now, due_at=now + self._patience)
        finally:
            self._slots.release()

    async def close(self) -> None:
        """Publishes what is queued, for at most `HANDING_OVER`: after that another's sweeper must find it overdue."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HANDING_OVER.total_seconds()):
                while self._queue:
                    await self._publish_next()
                await asyncio.gather(*self._publishing)


def _about(ticket: TicketRef) -> dict[str, str]:
    return {"chunk_id": ticket.chunk_id, "destination_id": ticket.destination_id}


def _payload(tickets: Sequence[TicketRef], traceparents: Sequence[str]) -> bytes:
    return DeliveryTicket(
        deliveries=[
            DeliveryRef(
                chunk_id=ticket.chunk_id,
                destination_id=ticket.destination_id,
                round=ticket.round,
                correlation_id=ticket.correlation_id,
                traceparent=traceparent,
                positions=ticket.positions,
            )
            for ticket, traceparent in zip(tickets, traceparents, strict=True)
        ]
    ).SerializeToString()


def _message_id(queued: Sequence[tuple[TicketRef, str]]) -> str:
    named = (f"{ticket.chunk_id}.{ticket.destination_id}.{ticket.round}.{stamp}" for ticket, stamp in queued)
    return hashlib.sha256("\n".join(named).encode()).hexdigest()
