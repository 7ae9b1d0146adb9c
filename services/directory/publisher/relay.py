import asyncio
import hashlib
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

import structlog
from contactsync.directory.v1.intake_pb2 import IntakeRef, IntakeTicket

from libs.bus import publishing_items
from services.directory.domain.telecrm.intake import Entry
from services.directory.ports import Clock
from services.directory.ports.intake import IntakeBook

_TICKET_ROOM = 100
_SWEPT = 100

log = structlog.get_logger()


class Publisher(Protocol):
    """The bus as it is needed here."""

    async def publish(self, subject: str, payload: bytes, *, message_id: str) -> None:
        """Returns once the message is on disk."""
        ...


class IntakeRelay:
    """Makes waiting leads known by tickets. The book is the truth: what the bus refuses is left to the sweeper."""

    def __init__(self, *, bus: Publisher, subject: str) -> None:
        self._bus = bus
        self._subject = subject
        self._queue: deque[tuple[Entry, str]] = deque()
        self._wake = asyncio.Event()

    def announce(self, entries: Sequence[Entry], *, stamp: str = "") -> None:
        """As the port says; what queues while a ticket is published shares the next one."""
        self._queue.extend((entry, stamp) for entry in entries)
        self._wake.set()

    async def run(self) -> None:
        """Publishes until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                await self._publish([self._queue.popleft() for _ in range(min(_TICKET_ROOM, len(self._queue)))])

    async def _publish(self, queued: Sequence[tuple[Entry, str]]) -> None:
        entries = [entry for entry, _ in queued]
        try:
            with publishing_items(self._subject, entries, _about) as traceparents:
                payload = _payload(entries, traceparents)
                await self._bus.publish(self._subject, payload, message_id=_message_id(queued))
        except Exception as error:  # noqa: BLE001 - whatever it is, the book still has them
            log.warning("intake_not_published", entries=len(entries), error_type=type(error).__qualname__)


class IntakeSweeper:
    """Makes known again what still waits after a while, so that losing every ticket loses nothing."""

    def __init__(
        self, *, book: IntakeBook, relay: IntakeRelay, clock: Clock, every: timedelta, patience: timedelta
    ) -> None:
        """`patience` is how long what was due may wait."""
        self._book = book
        self._relay = relay
        self._clock = clock
        self._every = every.total_seconds()
        self._patience = patience

    async def run(self) -> None:
        """Sweeps at once, then `every` so often, until cancelled."""
        patience = timedelta()  # before the start nobody was there to take tickets
        while True:
            try:
                await self.sweep(patience)
                patience = self._patience
            except Exception as error:  # noqa: BLE001 - the next sweep may do better
                log.warning("intake_not_swept", error_type=type(error).__qualname__)
            await asyncio.sleep(self._every)

    async def sweep(self, patience: timedelta) -> None:
        """Announces what is due for that long."""
        now = self._clock()
        overdue = await self._book.waiting(now=now - patience, limit=_SWEPT)
        if overdue:
            self._relay.announce(overdue, stamp=now.isoformat())
            log.info("intake_overdue", entries=len(overdue))


def _about(entry: Entry) -> dict[str, str]:
    return {"entry_id": entry.entry_id}


def _payload(entries: Sequence[Entry], traceparents: Sequence[str]) -> bytes:
    refs = [
        IntakeRef(entry_id=entry.entry_id, correlation_id=entry.correlation_id, traceparent=traceparent)
        for entry, traceparent in zip(entries, traceparents, strict=True)
    ]
    return IntakeTicket(entries=refs).SerializeToString()


def _message_id(queued: Sequence[tuple[Entry, str]]) -> str:
    named = (f"{entry.entry_id}.{stamp}" for entry, stamp in queued)
    return hashlib.sha256("\n".join(named).encode()).hexdigest()
