"""Calls to another service of the hub."""

import asyncio
import math
import random
from datetime import timedelta
from typing import Any, TypeVar, cast

import grpc
from contactsync.exchange.v1.exchange_service_pb2 import ExchangeRequest, ExchangeResponse

from libs.rpc.call import CURRENT_CALL
from libs.rpc.correlation import CORRELATION_HEADER
from libs.rpc.failure import CallFailed
from libs.rpc.identity import Identity, Shown
from libs.rpc.methods import Method, NamingChannel
from libs.rpc.streams import NotBegun, Streams
from libs.rpc.target import target_of
from libs.rpc.tls import IN_THE_CLEAR, Callee
from libs.rpc.tracing import TRACE_HEADER, bound_correlation_id, calling, current_traceparent

Request = TypeVar("Request")
Response = TypeVar("Response")

_EXCHANGE = "/contactsync.exchange.v1.ExchangeService/Exchange"
_ALONE_SECONDS = 30.0
_TRIES = 3
_FIRST_PAUSE_SECONDS = 0.05
_LAST_CALLS_SECONDS = 60.0
_LIMIT_BYTES = 9 * 1024 * 1024
_OPTIONS = (
    ("grpc.max_receive_message_length", _LIMIT_BYTES),
    ("grpc.max_send_message_length", _LIMIT_BYTES),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # A service that was killed is back within a second or two: do not wait two minutes for it.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # Seven processes on one machine, each with its own proxy settings in the environment, talk to each other directly.
    ("grpc.enable_http_proxy", 0),
)


class Peer:
    """One channel to one service, however many its replicas are. Made in `main`, closed there."""

    def __init__(self, addresses: str, *, identity: Shown, callee: Callee = IN_THE_CLEAR) -> None:
        """`addresses` are host:port, comma-separated: see `target_of`. Nothing is connected before the first call.

        `callee` is the service as TLS has it: who must be there, whatever the address is.
        """
        target, options = target_of(addresses)
        self._callee = callee
        self._generation = callee.generation
        self._named = NamingChannel(lambda: callee.channel(target, (*_OPTIONS, *options)))
        self._streams = Streams(self._open_stream)
        self._alone_until = 0.0 if isinstance(identity, Identity) else math.inf
        self._closing: set[asyncio.Task[None]] = set()
        self.channel = cast("grpc.aio.Channel", self._named)
        """For the stubs, whose methods go to `call`."""
        self._identity = identity

    async def call(
        self,
        method: "grpc.aio.UnaryUnaryMultiCallable[Request, Response]",
        request: Request,
        *,
        timeout: timedelta = timedelta(seconds=5),  # noqa: ASYNC109 - a deadline travels with a call
        repeatable: bool = False,
    ) -> Response:
        """Calls with identity, correlation id, trace and a deadline: `timeout`, or what is left of the served call.

        A service that is away is waited for until the deadline: it may be restarting. What was under way when it went
        (UNAVAILABLE) is tried again only when it has no side effects or is `repeatable`: a repeat changes nothing more,
        and is answered as the first call would have been. Raises PeerRefused or PeerUnavailable.
        """
        ends_at = asyncio.get_running_loop().time() + _seconds_left(timeout)
        if self._callee.generation is not self._generation:
            self._renew()
        known = self._named.known(method)
        tries = _TRIES if known.reads or repeatable else 1
        with calling(known.name):
            while True:
                try:
                    response: Response = await self._ask(known, request, ends_at)
                except NotBegun:
                    pause = _FIRST_PAUSE_SECONDS
                except CallFailed as failed:
                    tries -= 1
                    if not tries or failed.code is not grpc.StatusCode.UNAVAILABLE:
                        raise failed.of(known.name) from None
                    pause = _FIRST_PAUSE_SECONDS * 2 ** (_TRIES - tries)
                else:
                    return response
                await asyncio.sleep(random.uniform(0.01, pause))  # noqa: S311 - spreads load, guards nothing

    async def _ask(self, method: Method, request: Any, ends_at: float) -> Any:
        now = asyncio.get_running_loop().time()
        seconds = max(0.0, ends_at - now)
        streams = self._streams  # others after a new certificate, which get nothing back of these
        stream = streams.take(method.service) if now >= self._alone_until else None
        if stream is None:
            return await self._ask_alone(method, request, seconds)
        try:
            async with asyncio.timeout(seconds):
                raw = await stream.ask(_framed(method, request, seconds))
        except TimeoutError:
            streams.throw_away(stream)
            raise CallFailed(grpc.StatusCode.DEADLINE_EXCEEDED) from None
        except CallFailed as failed:
            streams.throw_away(stream)
            if failed.code is not grpc.StatusCode.UNIMPLEMENTED:
                raise
            self._alone_until = now + _ALONE_SECONDS  # of a release that does not know the exchange
            raise NotBegun from None
        except BaseException:
            streams.throw_away(stream)
            raise
        streams.give_back(stream)
        response = ExchangeResponse.FromString(raw)
        if response.HasField("status"):
            raise CallFailed.with_status(response.status)
        return method.read(response.message)

    async def _ask_alone(self, method: Method, request: Any, seconds: float) -> Any:
        """The call with a stream of its own."""
        metadata = [*self._identity.shown(method.service)]
        if correlation_id := bound_correlation_id():
            metadata.append((CORRELATION_HEADER, correlation_id))
        if traceparent := current_traceparent():
            metadata.append((TRACE_HEADER, traceparent))
        try:
            return await method.ask(request, timeout=seconds, metadata=metadata, wait_for_ready=True)
        except grpc.aio.AioRpcError as error:
            raise CallFailed.told_by(error) from None

    def _open_stream(self, service: str) -> Any:
        begin = self._named.stream_stream(_EXCHANGE)
        return begin(metadata=tuple(self._identity.shown(service)), wait_for_ready=True)

    def _renew(self) -> None:
        """Calls by the new certificate from now on; those that run end on the channel that they began on."""
        self._generation = self._callee.generation
        self._streams.close()
        self._streams = Streams(self._open_stream)
        closing = asyncio.get_running_loop().create_task(self._named.reopen().close(_LAST_CALLS_SECONDS))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Closes the channel."""
        for closing in self._closing:
            closing.cancel()
        self._streams.close()
        await self._named.close()


def _seconds_left(timeout: timedelta) -> float:
    """Of the timeout, or of the call that is being served when that ends sooner."""
    seconds = timeout.total_seconds()
    call = CURRENT_CALL.get(None)
    left = call.seconds_left() if call else None
    return seconds if left is None else min(seconds, left)


def _framed(method: Method, request: Any, seconds: float) -> bytes:
    framed = ExchangeRequest(
        method=method.name,
        message=method.write(request),
        timeout_ms=math.ceil(seconds * 1000),
        correlation_id=bound_correlation_id(),
        traceparent=current_traceparent(),
    )
    return framed.SerializeToString()
