"""Streams to a peer that are kept between calls: a call on one costs a message each way, and no stream of its own."""

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import Context
from typing import TypeAlias

import grpc

from libs.rpc.failure import CallFailed

_MOST = 16
_LIFE_SECONDS = (10.0, 20.0)
"""How old a stream may get: its calls all go to one replica, and by one statement, which holds for longer."""
_SWEEP_SECONDS = 5.0

_STOPPED = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
"""What gRPC says of a stream that came when the server was no longer listening; nothing was sent on it."""

Opened: TypeAlias = "grpc.aio.StreamStreamCall[bytes, bytes]"


class NotBegun(Exception):
    """The stream was ended before the peer began the call: it may be made on another one, whatever it does."""


class Streams:
    """A few of them, each for one call at a time."""

    def __init__(
        self,
        open_: Callable[[str], Opened],
        *,
        life: Callable[[], float] = lambda: random.uniform(*_LIFE_SECONDS),  # noqa: S311 - spreads load, guards nothing
    ) -> None:
        """`open_` begins a stream to the service of that name, which gets `life` seconds old."""
        self._open = open_
        self._life = life
        self._idle: list[KeptStream] = []
        self._taken = 0
        self._sweeping: asyncio.TimerHandle | None = None
        self._closed = False

    def take(self, service: str) -> "KeptStream | None":
        """The one that was used last, or a new one. None: as many as may be are in use."""
        now = asyncio.get_running_loop().time()
        while self._idle:
            stream = self._idle.pop()
            if stream.is_good(now):
                self._taken += 1
                return stream
            stream.end()
        if self._closed or self._taken >= _MOST:
            return None
        self._taken += 1
        return KeptStream(self._open(service), now + self._life())

    def give_back(self, stream: "KeptStream") -> None:
        """For the next call."""
        self._taken -= 1
        loop = asyncio.get_running_loop()
        if self._closed or not stream.is_good(loop.time()):
            stream.end()
            return
        self._idle.append(stream)
        if self._sweeping is None:
            self._sweeping = loop.call_later(_SWEEP_SECONDS, self._sweep)

    def throw_away(self, stream: "KeptStream") -> None:
        """A call on it did not end well: what it runs is cancelled."""
        self._taken -= 1
        stream.end()

    def close(self) -> None:
        """Ends those that are idle now, and the others after their calls."""
        self._closed = True
        self._end_all_but(())

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        self._sweeping = None
        self._end_all_but([stream for stream in self._idle if stream.is_good(loop.time())])
        if self._idle:
            self._sweeping = loop.call_later(_SWEEP_SECONDS, self._sweep)

    def _end_all_but(self, kept: "Sequence[KeptStream]") -> None:
        ended, self._idle = [stream for stream in self._idle if stream not in kept], list(kept)
        for stream in ended:
            stream.end()


class KeptStream:
    """One stream. It is read all the time, so that its end is known before the next call."""

    def __init__(self, opened: Opened, ends_at: float) -> None:
        self._opened = opened
        self._ends_at = ends_at
        self._let_in = False
        self._answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._failure: Exception | None = None
        # Of no request: the stream outlives the one that it was opened for.
        self._reading = asyncio.get_running_loop().create_task(self._read(), context=Context())

    def is_good(self, now: float) -> bool:
        """True: another call may be made."""
        return self._failure is None and now < self._ends_at

    async def ask(self, request: bytes) -> bytes:
        """What the peer answers. Raises CallFailed and NotBegun; is cancelled with the call."""
        if not self._let_in:
            # Nothing is sent before, or a refusal to open the stream would be lost behind the write that it fails.
            await self._answer
        if self._failure is not None:
            raise self._failure
        self._answer = asyncio.get_running_loop().create_future()
        with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):  # what ended the stream is read
            await self._opened.write(request)
        return await self._answer

    def end(self) -> None:
        """Cancels what runs."""
        self._opened.cancel()
        self._answer.cancel()

    async def _read(self) -> None:
        self._failure = await self._read_all()
        if not self._answer.done():
            self._answer.set_exception(self._failure)

    async def _read_all(self) -> Exception:
        """Gives each answer to who waits for it, and then why there will be no more."""
        try:
            async for response in self._opened:
                if not response and self._let_in:
                    return NotBegun()
                self._let_in = True
                if not self._answer.done():
                    self._answer.set_result(response)
        except grpc.aio.AioRpcError as error:
            failed = CallFailed.told_by(error)
            if failed.code in _STOPPED and not self._let_in:
                return NotBegun()
            if failed.code is grpc.StatusCode.INTERNAL and failed.status is None:
                # gRPC's word for a write that failed, in place of what broke the stream: the connection, as a rule.
                return CallFailed(grpc.StatusCode.UNAVAILABLE)
            return failed
        except asyncio.CancelledError:
            return CallFailed(grpc.StatusCode.CANCELLED)
        return CallFailed(grpc.StatusCode.UNAVAILABLE)
