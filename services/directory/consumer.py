"""Tickets from the bus: leads wait."""

import asyncio

import structlog
from contactsync.call.v1.call_pb2 import CallContext
from contactsync.directory.v1.intake_pb2 import IntakeRef, IntakeTicket
from google.protobuf.message import DecodeError

from libs.bus import INTAKE, Ack, Bus, GiveUp, Message, Retry, Verdict, delivering_items
from libs.rpc import serve_item
from services.directory.domain.telecrm.intake import Entry
from services.directory.handler.telecrm import Intake

CONSUMER = "directory"
IN_FLIGHT = 4
"""Tickets at once. One takes all that waits, and the others then find nothing."""

log = structlog.get_logger()


class IntakeConsumer:
    """Puts waiting leads into the book, one after the other: of two of one lead the later wins."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._turn = asyncio.Lock()

    async def run(self, bus: Bus) -> None:
        """Take tickets until cancelled."""
        await bus.consume(INTAKE.name, CONSUMER, self.deliver, in_flight=IN_FLIGHT)

    async def deliver(self, message: Message) -> Verdict:
        """Do all that waits. The book is the truth: a ticket that comes again changes nothing."""
        try:
            ticket = IntakeTicket.FromString(message.payload)
        except DecodeError:
            return GiveUp("it is no ticket")
        with delivering_items(message.subject, ticket.entries, _about):
            async with self._turn:
                done = await self.drain()
        return Ack() if done else Retry()

    async def drain(self) -> bool:
        """False: some were put off, and nothing else is due."""
        done = True
        while entries := await self._intake.waiting():
            for entry in entries:
                done = await self._apply(entry) and done
        return done

    async def _apply(self, entry: Entry) -> bool:
        context = CallContext(correlation_id=entry.correlation_id, traceparent=entry.traceparent)
        with serve_item(context, "directory.Intake"):
            try:
                kept = await self._intake.apply(entry)
            except Exception as error:  # noqa: BLE001 - whatever it is, it spoils no other entry, and is tried again
                log.warning("intake_put_off", attempts=entry.attempts + 1, error_type=type(error).__qualname__)
                await self._intake.put_off(entry)
                return False
            if not kept:
                log.info("intake_dropped", entry_id=entry.entry_id)
            return True


def _about(entry: IntakeRef) -> dict[str, str]:
    return {"entry_id": entry.entry_id}
