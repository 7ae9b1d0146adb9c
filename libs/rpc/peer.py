"""Calls to another service of the hub."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar, cast

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from libs.rpc.call import CURRENT_CALL
from libs.rpc.correlation import CORRELATION_HEADER
from libs.rpc.identity import Shown
from libs.rpc.reason import DOMAIN
from libs.rpc.refusal import Violation
from libs.rpc.target import target_of
from libs.rpc.tls import IN_THE_CLEAR, Callee
from libs.rpc.tracing import TRACE_HEADER, bound_correlation_id, calling, current_traceparent

Request = TypeVar("Request")
Response = TypeVar("Response")

_DETAILS = "grpc-status-details-bin"
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


class PeerRefused(Exception):
    """A peer answered and said no.

    To the caller of this service it is an INTERNAL_ERROR unless an adapter says more.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        violations: Sequence[Violation] = (),
        fields: Mapping[str, str] | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.message = message
        self.violations = tuple(violations)
        self.fields = dict(fields or {})
        self.retry_after = retry_after


class PeerUnavailable(Exception):
    """A peer did not answer, or not in time; whether it did the work is not known.

    To the caller: SERVICE_UNAVAILABLE.
    """

    def __init__(self, method: str, code: grpc.StatusCode) -> None:
        super().__init__(method, code.name)
        self.method = method
        self.code = code
        self.reason = "SERVICE_UNAVAILABLE"
        self.message = "A part of the hub does not answer now; try again."
        self.retry_after = timedelta(seconds=1)


class Peer:
    """One channel to one service, however many its replicas are. Made in `main`, closed there."""

    def __init__(self, addresses: str, *, identity: Shown, callee: Callee = IN_THE_CLEAR) -> None:
        """`addresses` are host:port, comma-separated: see `target_of`. Nothing is connected before the first call.

        `callee` is the service as TLS has it: who must be there, whatever the address is.
        """
        target, options = target_of(addresses)
        self._callee = callee
        self._generation = callee.generation
        self._named = _NamingChannel(lambda: callee.channel(target, (*_OPTIONS, *options)))
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
        name, reads, method = self._named.known(method)
        tries = _TRIES if reads or repeatable else 1
        with calling(name):
            while True:
                tries -= 1
                left = ends_at - asyncio.get_running_loop().time()
                try:
                    return await method(
                        request, timeout=max(0.0, left), metadata=self._metadata(name), wait_for_ready=True
                    )
                except grpc.aio.AioRpcError as error:
                    if not tries or error.code() is not grpc.StatusCode.UNAVAILABLE:
                        raise _failure(name, error) from None
                await asyncio.sleep(_pause(_TRIES - tries))

    def _metadata(self, method: str) -> tuple[tuple[str, str], ...]:
        # Internal methods are in the contracts of their service's name: contactsync.SERVICE.v1.
        metadata = [*self._identity.shown(method.partition(".")[2].partition(".")[0])]
        if correlation_id := bound_correlation_id():
            metadata.append((CORRELATION_HEADER, correlation_id))
        if traceparent := current_traceparent():
            metadata.append((TRACE_HEADER, traceparent))
        return tuple(metadata)

    def _renew(self) -> None:
        """Calls by the new certificate from now on; those that run end on the channel that they began on."""
        self._generation = self._callee.generation
        closing = asyncio.get_running_loop().create_task(self._named.reopen().close(_LAST_CALLS_SECONDS))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Closes the channel."""
        for closing in self._closing:
            closing.cancel()
        await self._named.close()


class _NamingChannel:
    """A channel that remembers the names of its callables, which gRPC keeps to itself, and which may be repeated."""

    def __init__(self, open_: Callable[[], grpc.aio.Channel]) -> None:
        self._open = open_
        self._channel = open_()
        self._methods: dict[Any, tuple[str, bool, Any]] = {}
        self._making: dict[Any, Callable[[], Any]] = {}

    def known(self, method: Any) -> tuple[str, bool, Any]:
        """Name, True when a repeat has no side effects, and the callable of the channel that is open now.

        Of a callable of another channel: no name, no repeats.
        """
        return self._methods.get(method) or ("", False, method)

    def unary_unary(self, path: str, *args: Any, **options: Any) -> Any:
        def make() -> Any:
            return self._channel.unary_unary(path, *args, **options)

        method = make()
        self._making[method] = make
        self._methods[method] = (path.removeprefix("/"), _has_no_side_effects(path), method)
        return method

    def reopen(self) -> grpc.aio.Channel:
        """Opens another channel for all callables, and gives the one before."""
        before, self._channel = self._channel, self._open()
        self._methods = {
            method: (name, reads, self._making[method]()) for method, (name, reads, _) in self._methods.items()
        }
        return before

    def unary_stream(self, path: str, *args: Any, **options: Any) -> Any:
        return self._channel.unary_stream(path, *args, **options)

    def stream_unary(self, path: str, *args: Any, **options: Any) -> Any:
        return self._channel.stream_unary(path, *args, **options)

    async def close(self) -> None:
        await self._channel.close()


def _has_no_side_effects(path: str) -> bool:
    service, _, name = path.removeprefix("/").rpartition("/")
    method = descriptor_pool.Default().FindMethodByName(f"{service}.{name}")
    return bool(method.GetOptions().idempotency_level == MethodOptions.NO_SIDE_EFFECTS)


def _seconds_left(timeout: timedelta) -> float:
    """Of the timeout, or of the call that is being served when that ends sooner."""
    seconds = timeout.total_seconds()
    call = CURRENT_CALL.get(None)
    left = call.context.time_remaining() if call else None
    return seconds if left is None else min(seconds, left)


def _pause(attempt: int) -> float:
    """Seconds before a try: doubling, with full jitter."""
    return random.uniform(0.01, _FIRST_PAUSE_SECONDS * 2**attempt)  # noqa: S311 - spreads load, guards nothing


def _failure(method: str, error: grpc.aio.AioRpcError) -> PeerRefused | PeerUnavailable:
    refused = _refused(error)
    if refused is None or refused.reason in {"SERVICE_UNAVAILABLE", "DEADLINE_EXCEEDED"}:
        return PeerUnavailable(method, error.code())
    return refused


def _refused(error: grpc.aio.AioRpcError) -> PeerRefused | None:
    """What the peer said. None: nothing that the hub's last door writes, so it did not come from there."""
    raw = next((value for key, value in error.trailing_metadata() or () if key == _DETAILS), None)
    if not isinstance(raw, bytes):
        return None
    try:
        return _read_status(Status.FromString(raw))
    except DecodeError:
        return None


def _read_status(status: Status) -> PeerRefused | None:
    info, retry, bad = ErrorInfo(), RetryInfo(), BadRequest()
    unpacked = [any(detail.Unpack(message) for detail in status.details) for message in (info, retry, bad)]
    if info.domain != DOMAIN:
        return None
    return PeerRefused(
        info.reason,
        status.message,
        violations=[Violation(v.field, v.reason, v.description) for v in bad.field_violations],
        fields=dict(info.metadata),
        retry_after=retry.retry_delay.ToTimedelta() if unpacked[1] else None,
    )
