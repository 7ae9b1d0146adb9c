"""Pulling the messages of one durable consumer over one session."""

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from libs.bus.client import Msg
from libs.bus.ports import Message
from libs.bus.session import Session, status_of
from libs.bus.work import Delivery, Work

_LARGEST_PULL = 64
_EXPIRES_SECONDS = 30
_HEARTBEAT_SECONDS = 5
_SILENCE_SECONDS = 2.5 * _HEARTBEAT_SECONDS  # without a heartbeat the consumer's leader is gone, or out of reach

_HEARTBEAT, _PULL_EXPIRED = "100", "408"


class ConsumerGone(Exception):
    """The server ended the pull, or fell silent: the consumer or its stream was deleted, or its leader moved."""


class Pull:
    """Keeps as many messages asked for as there is room for. A pull stays open at the server: nobody polls."""

    def __init__(self, session: Session, work: Work, *, stream: str, consumer: str, in_flight: int) -> None:
        self.session = session
        self.stream = stream
        self.consumer = consumer
        self._work = work
        self._request_subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        self._in_flight = in_flight
        self._worthwhile = min(in_flight, _LARGEST_PULL) // 4
        self._asked = 0
        self._heard = 0.0
        self._wake = asyncio.Event()
        self._gone: str | None = None
        self._incarnation = ""

    async def run(self, incarnation: str) -> None:
        """Pull until the session is lost (`SessionLost`) or the server ends it (`ConsumerGone`)."""
        self._incarnation = incarnation
        async with self.session.listening(self._arrive) as inbox:
            while self._gone is None:
                await self._ask(inbox)
                await self._next_event()
        raise ConsumerGone(self._gone)

    def look_again(self) -> None:
        """Ask for more if there is room now."""
        self._wake.set()

    async def _ask(self, inbox: str) -> None:
        if (batch := self._room()) == 0:
            return
        if not self._asked:
            self._heard = asyncio.get_running_loop().time()
        self._asked += batch
        nanoseconds = 1_000_000_000
        request = {
            "batch": batch,
            "expires": _EXPIRES_SECONDS * nanoseconds,
            "idle_heartbeat": _HEARTBEAT_SECONDS * nanoseconds,
        }
        await self.session.send(self._request_subject, json.dumps(request).encode(), reply=inbox)

    def _room(self) -> int:
        """Return how many to ask for now; small pulls are put off while another is open."""
        room = min(self._in_flight - self._work.under_way - self._asked, _LARGEST_PULL)
        if self._asked > self._worthwhile or (self._asked and room < self._worthwhile):
            return 0
        return max(room, 0)

    async def _next_event(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_SILENCE_SECONDS):
                await self._wake.wait()
        self._wake.clear()
        if self._asked and asyncio.get_running_loop().time() - self._heard >= _SILENCE_SECONDS:
            self._gone = self._gone or "silence"

    async def _arrive(self, raw: Msg) -> None:
        self._heard = asyncio.get_running_loop().time()
        if (status := status_of(raw)) is not None:
            self._ended(status, raw)
            return
        self._asked = max(0, self._asked - 1)
        self._work.begin(_delivery(raw, self.session, self._incarnation))
        if self._asked <= self._worthwhile:
            self._wake.set()

    def _ended(self, status: str, raw: Msg) -> None:
        headers = raw.headers or {}
        if status == _HEARTBEAT:
            return
        if status == _PULL_EXPIRED:
            self._asked = max(0, self._asked - int(headers.get("Nats-Pending-Messages", self._asked)))
        else:
            self._gone = f"{status} {headers.get('Description', '')}"
        self._wake.set()


def _delivery(raw: Msg, session: Session, incarnation: str) -> Delivery:
    place = raw.metadata
    headers = raw.headers or {}
    message = Message(
        subject=raw.subject,
        payload=raw.data,
        message_id=headers.get("Nats-Msg-Id", ""),
        delivered=place.num_delivered,
        waited=max(datetime.now(UTC) - place.timestamp, timedelta(0)),
    )
    return Delivery(
        message=message,
        headers=headers,
        sequence=place.sequence.stream,
        incarnation=incarnation,
        reply=raw.reply,
        session=session,
        begun=asyncio.get_running_loop().time(),
    )
