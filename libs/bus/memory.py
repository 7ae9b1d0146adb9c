"""The bus inside one process: for tests and for a hub without a server. Nothing outlives the process."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import assert_never

from libs.bus.ports import Ack, BusUnavailable, Deliver, GiveUp, Message, Retry, StreamSpec, Verdict
from libs.bus.streams import STREAMS
from libs.bus.tracing import bound, delivering, publishing
from libs.bus.work import log_failure, log_give_up, pause_after


@dataclass(slots=True)
class _Stored:
    subject: str
    payload: bytes
    message_id: str
    headers: dict[str, str]
    delivered: int = 0

    def next_delivery(self) -> Message:
        self.delivered += 1
        return Message(subject=self.subject, payload=self.payload, message_id=self.message_id, delivered=self.delivered)


@dataclass(slots=True)
class _Stream:
    spec: StreamSpec
    ready: asyncio.Queue[_Stored] = field(default_factory=asyncio.Queue)
    size: int = 0
    count: int = 0
    seen: dict[str, float] = field(default_factory=dict)

    def is_repeat(self, message_id: str, now: float) -> bool:
        window = self.spec.duplicate_window.total_seconds()
        while self.seen and (oldest := next(iter(self.seen))) and self.seen[oldest] <= now - window:
            del self.seen[oldest]
        if message_id in self.seen:
            return True
        self.seen[message_id] = now
        return False

    def put(self, stored: _Stored) -> None:
        self.size += len(stored.payload)
        self.count += 1
        self.ready.put_nowait(stored)

    def remove(self, stored: _Stored) -> None:
        self.size -= len(stored.payload)
        self.count -= 1


class MemoryBus:
    """The promises of `Bus`, but for the disk. Lives in the event loop that uses it first."""

    def __init__(self, streams: tuple[StreamSpec, ...] = STREAMS) -> None:
        self._streams = {spec.name: _Stream(spec) for spec in streams}
        self._by_subject = {subject: self._streams[spec.name] for spec in streams for subject in spec.subjects}
        self._closed = False

    async def publish(self, subject: str, payload: bytes, *, message_id: str) -> None:
        """Return once the message is in the stream; see `Bus.publish`."""
        await self.check()
        stream = self._by_subject.get(subject)
        if stream is None:
            raise BusUnavailable(f"no stream takes {subject}")
        if stream.size + len(payload) > stream.spec.max_bytes:
            raise BusUnavailable(f"stream {stream.spec.name} is full")
        with publishing(subject, message_id) as headers:
            if not stream.is_repeat(message_id, asyncio.get_running_loop().time()):
                stream.put(_Stored(subject, payload, message_id, headers))

    async def consume(self, stream: str, consumer: str, deliver: Deliver, *, in_flight: int) -> None:  # noqa: ARG002 - the durable name matters to a server only
        """Deliver until cancelled; see `Bus.consume`."""
        source = self._streams[stream]
        room = asyncio.Semaphore(in_flight)
        async with asyncio.TaskGroup() as group:
            while True:
                await room.acquire()
                stored = await source.ready.get()
                task = group.create_task(_carry_out(source, stored, deliver))
                task.add_done_callback(lambda _: room.release())

    async def waiting(self, stream: str, consumer: str) -> int:  # noqa: ARG002 - as above
        """Count what was put and not removed; see `Bus.waiting`."""
        await self.check()
        return self._streams[stream].count

    async def check(self) -> None:
        """Raise `BusUnavailable` after `close`."""
        if self._closed:
            raise BusUnavailable("closed")

    async def close(self) -> None:
        """Refuse what is published from now on."""
        self._closed = True


async def _carry_out(source: _Stream, stored: _Stored, deliver: Deliver) -> None:
    message = stored.next_delivery()
    try:
        with bound(stored.headers):
            verdict = await _judge(message, deliver)
    except asyncio.CancelledError:
        source.ready.put_nowait(stored)
        raise
    _settle(source, stored, message, verdict)


async def _judge(message: Message, deliver: Deliver) -> Verdict:
    try:
        with delivering(message.subject, message.message_id):
            return await deliver(message)
    except Exception as failure:  # noqa: BLE001 - whatever the consumer raised, the message must come again
        log_failure(message, failure)
        return Retry()


def _settle(source: _Stream, stored: _Stored, message: Message, verdict: Verdict) -> None:
    match verdict:
        case Ack():
            source.remove(stored)
        case Retry(after):
            _put_back_later(source, stored, pause_after(message.delivered) if after is None else after)
        case GiveUp(reason):
            log_give_up(message, reason)
            source.remove(stored)
        case _:
            assert_never(verdict)


def _put_back_later(source: _Stream, stored: _Stored, pause: timedelta) -> None:
    asyncio.get_running_loop().call_later(pause.total_seconds(), source.ready.put_nowait, stored)
