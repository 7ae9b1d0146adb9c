"""The bus on NATS JetStream."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import Any, Self

import structlog

from libs.bus.declare import count_waiting, declare_consumer, declare_streams
from libs.bus.numbers import BusNumbers
from libs.bus.ports import BusUnavailable, Deliver, StreamSpec
from libs.bus.pull import ConsumerGone, Pull
from libs.bus.session import ApiRefused, NoResponders, Session, SessionLost
from libs.bus.streams import STREAMS
from libs.bus.tracing import publishing
from libs.bus.work import Work
from libs.measures import Measures

_log = structlog.get_logger("libs.bus")

_OPEN_SECONDS = 2.0
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 2.0


class JetStreamBus:
    """The promises of `Bus` on a JetStream server, with the streams kept as their specs say.

    `bus = await JetStreamBus.open("nats://user:password@127.0.0.1:4222")`. Of a cluster all servers are named, with
    commas between; one that cannot reach the others, and so answers nothing for seconds, is left for another.
    """

    def __init__(self, url: str, *, name: str, streams: tuple[StreamSpec, ...], ack_wait: timedelta, replicas: int):
        self._url = url
        self._has_others = "," in url
        self._name = name
        self._streams = streams
        self._ack_wait = ack_wait
        self._replicas = replicas
        self._session: Session | None = None
        self._ready = asyncio.Event()
        self._declaring = asyncio.Lock()
        self._connecting: asyncio.Task[None] | None = None
        self._numbers = BusNumbers()

    @property
    def measures(self) -> Measures:
        """What it counts of its messages."""
        return self._numbers.measures

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        name: str = "contactsync",
        streams: tuple[StreamSpec, ...] = STREAMS,
        ack_wait: timedelta = timedelta(seconds=10),
        replicas: int = 1,
    ) -> Self:
        """Start to connect, and return when connected or after 2 s: an absent server is waited for in the background.

        `name` is shown in the server's list of connections. `ack_wait` is how long after the death of a consumer its
        messages come again. `replicas` is how many servers of a cluster keep each stream.
        """
        bus = cls(url, name=name, streams=streams, ack_wait=ack_wait, replicas=replicas)
        bus._connecting = asyncio.create_task(bus._stay_connected())
        with suppress(TimeoutError):
            async with asyncio.timeout(_OPEN_SECONDS):
                await bus._ready.wait()
        return bus

    async def publish(self, subject: str, payload: bytes, *, message_id: str) -> None:
        """Return after the PubAck; see `Bus.publish`."""
        session, asked_at = self._connected(), asyncio.get_running_loop().time()
        try:
            with publishing(subject, message_id) as headers:
                headers["Nats-Msg-Id"] = message_id
                await self._store(session, subject, payload, headers)
        except (SessionLost, NoResponders, ApiRefused, TimeoutError) as failure:
            await self._doubt(session, failure, asked_at)
            self._numbers.sent(subject, error=type(failure).__name__)
            raise BusUnavailable(str(failure) or "no answer in time") from failure
        session.note_answer()
        self._numbers.sent(subject)

    async def _store(self, session: Session, subject: str, payload: bytes, headers: dict[str, str]) -> None:
        try:
            await session.store(subject, payload, headers=headers)
        except NoResponders:
            await self._declare(session)  # somebody deleted the stream
            await session.store(subject, payload, headers=headers)

    async def _doubt(self, session: Session, failure: Exception, asked_at: float) -> None:
        """Leave a server that has been silent for too long, if there are others."""
        if not isinstance(failure, SessionLost) and self._has_others:
            session.note_failure(asked_at)
            if session.stays_silent and not session.lost.is_set():
                _log.warning("bus_server_left", reason=str(failure) or "no answer in time")
                await session.leave()

    async def consume(self, stream: str, consumer: str, deliver: Deliver, *, in_flight: int) -> None:
        """Pull and deliver until cancelled; see `Bus.consume`."""
        work = Work(self._numbers.counted(stream, deliver), heartbeat=self._ack_wait * 0.3)
        told: BaseException | None = None
        try:
            while True:
                _heed_cancellation()
                session = await self._next_session()
                pull = Pull(session, work, stream=stream, consumer=consumer, in_flight=in_flight)
                told = await self._consume_once(pull, work, told)
        finally:
            await work.abandon(self._session)

    async def _consume_once(self, pull: Pull, work: Work, told: BaseException | None) -> BaseException | None:
        session, now = pull.session, asyncio.get_running_loop().time
        asked_at: float | None = now()
        try:
            incarnation = await self._declare_consumer(session, pull.stream, pull.consumer)
            session.note_answer()
            asked_at = None  # what fails from here on began to fail then, and not now
            _heed_cancellation()
            await _until_one_fails(
                pull.run(incarnation),
                work.settle(session, incarnation, pull.look_again),
                work.keep_alive(session, incarnation),
                _until_lost(session),
            )
        except (SessionLost, NoResponders, ApiRefused, ConsumerGone, TimeoutError) as cause:
            if str(cause) != str(told):  # once per cause, not per attempt
                _log.warning("bus_consumer_interrupted", stream=pull.stream, consumer=pull.consumer, reason=str(cause))
            if not isinstance(cause, ConsumerGone):
                await self._doubt(session, cause, now() if asked_at is None else asked_at)
            await _breathe(session, 1.0 if isinstance(cause, ApiRefused) else _FIRST_PAUSE)
            return None if isinstance(cause, SessionLost) else cause
        return None

    async def _declare_consumer(self, session: Session, stream: str, consumer: str) -> str:
        try:
            return await declare_consumer(session, stream, consumer, ack_wait=self._ack_wait)
        except ApiRefused:
            await self._declare(session)  # the stream may have been deleted under our eyes
            return await declare_consumer(session, stream, consumer, ack_wait=self._ack_wait)

    async def waiting(self, stream: str, consumer: str) -> int:
        """Count what was not delivered or not acknowledged; see `Bus.waiting`."""
        try:
            return await count_waiting(self._connected(), stream, consumer)
        except (SessionLost, NoResponders, ApiRefused) as failure:
            raise BusUnavailable(str(failure)) from failure

    async def check(self) -> None:
        """Raise `BusUnavailable` unless connected with all streams in place."""
        self._connected()

    async def close(self) -> None:
        """Flush and disconnect. Cancel consumers first."""
        if self._connecting is not None:
            await _cancel_stubbornly(self._connecting)
        if self._session is not None:
            await self._session.close()
        self._session = None
        self._ready.clear()

    async def _next_session(self) -> Session:
        while True:
            await self._ready.wait()
            if self._session is not None and not self._session.lost.is_set():
                return self._session
            await asyncio.sleep(0)  # lost this instant, and about to be noticed

    def _connected(self) -> Session:
        if self._session is None or self._session.lost.is_set():
            raise BusUnavailable("not connected")
        return self._session

    async def _declare(self, session: Session) -> None:
        async with self._declaring:
            await declare_streams(session, self._streams, replicas=self._replicas)

    async def _stay_connected(self) -> None:
        while True:
            self._session = await self._connect()
            self._ready.set()
            _log.info("bus_connected", streams=[stream.name for stream in self._streams])
            await self._session.lost.wait()
            self._ready.clear()
            self._session = None
            _log.warning("bus_lost")

    async def _connect(self) -> Session:
        pause = _FIRST_PAUSE
        told = ""
        while True:
            try:
                return await self._connect_once()
            except (SessionLost, NoResponders, ApiRefused) as failure:
                if told != (told := f"{type(failure).__name__}: {failure}"):  # once per cause, not per attempt
                    _log.warning("bus_unreachable", reason=told)
            await asyncio.sleep(pause)
            pause = min(_LONGEST_PAUSE, pause * 2)

    async def _connect_once(self) -> Session:
        session = await Session.open(self._url, name=self._name)
        try:
            await self._declare(session)
        except BaseException:
            await session.close()
            raise
        return session


def _heed_cancellation() -> None:
    """Raise the cancellation that nats-py swallowed: the `wait_for` of Python 3.11 does when it meets a reply."""
    task = asyncio.current_task()
    if task is not None and task.cancelling() > 0:
        raise asyncio.CancelledError


async def _until_one_fails(*endless: Coroutine[Any, Any, None]) -> None:
    """Run all until one raises, end the others, and raise that.

    No TaskGroup: that of Python 3.11 swallows a cancellation that meets a failing child, and miscounts `cancelling()`.
    """
    tasks = [asyncio.create_task(coroutine) for coroutine in endless]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def _cancel_stubbornly(task: asyncio.Task[None]) -> None:
    """Cancel until it is over: nats-py swallows a cancellation that arrives while it closes a connection."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0.1)


async def _until_lost(session: Session) -> None:
    await session.lost.wait()
    raise SessionLost("disconnected")


async def _breathe(session: Session, seconds: float) -> None:
    """Wait before the next attempt, but no longer than the session lives."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await session.lost.wait()
