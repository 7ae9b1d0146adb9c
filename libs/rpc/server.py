"""A gRPC server as every service runs it."""

import asyncio
import os
import signal
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import grpc
import structlog
from contactsync.exchange.v1 import exchange_service_pb2
from contactsync.exchange.v1.exchange_service_pb2_grpc import (
    add_ExchangeServiceServicer_to_server,
)
from contactsync.operation.v1.log_service_pb2_grpc import add_LogServiceServicer_to_server
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from libs.lean import settle_memory
from libs.measures import Measures
from libs.rpc import log_levels
from libs.rpc.chain import Chain
from libs.rpc.door import Door
from libs.rpc.load import Load
from libs.rpc.readiness import watch_readiness
from libs.rpc.served import Handler
from libs.rpc.tls import Tls

_LOG = structlog.get_logger("libs.rpc")
_WATCHDOG = timedelta(seconds=2)
ALIVE = "alive"
"""By this name health says SERVING while the process answers at all, ready or not: who restarts it asks for that."""
_BESIDES = 320
"""What gRPC lets in over our own limit: health checks, calls that get their refusal, and streams that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcSettings:
    """How a server listens. Sizes are bytes."""

    listen: str
    """host:port; port 0 takes a free one, told by `RpcServer.port`."""
    tls: Tls = field(default_factory=Tls)
    receive_limit: int = 9 * 1024 * 1024
    send_limit: int = 9 * 1024 * 1024
    maximum_concurrent_rpcs: int = 512
    bytes_at_once: int | None = None
    """How many bytes of partners' requests are worked on at once; one alone may be larger. None: any number."""
    linger: timedelta = timedelta(0)
    """How long calls are still taken after a stop was asked for: until those have seen NOT_SERVING who send them."""
    grace: timedelta = timedelta(seconds=7)
    """How long calls that run may go on after that."""


@dataclass(frozen=True, slots=True)
class Registration:
    """A service that the server serves."""

    service: ServiceDescriptor
    add: Callable[[Any, Any], None]
    """The generated `add_…Servicer_to_server`."""
    servicer: object


_EXCHANGE = exchange_service_pb2.DESCRIPTOR.services_by_name["ExchangeService"]
_LOG_LEVELS = Registration(log_levels.DESCRIPTOR, add_LogServiceServicer_to_server, log_levels.LogLevels())


async def always_ready() -> None:
    """For a service that needs nothing to be ready."""


class RpcServer:
    """A server behind a door, with LogService and ExchangeService, and with health and reflection, open to anyone."""

    def __init__(
        self,
        settings: RpcSettings,
        registrations: Sequence[Registration],
        *,
        door: Door,
        ready: Callable[[], Awaitable[None]] = always_ready,
    ) -> None:
        """`ready` raises when the service cannot do its work; health says SERVING while it does not raise."""
        self.port = 0
        """The port it listens on, once started."""
        self.stopping = asyncio.Event()
        """Set when a stop was asked for."""
        self._settings = settings
        self._load = Load(settings.maximum_concurrent_rpcs, bytes_limit=settings.bytes_at_once)
        self._chain = Chain(door, self._load)
        exchange = Registration(_EXCHANGE, add_ExchangeServiceServicer_to_server, self._chain.exchange)
        self._registrations = (*registrations, exchange, _LOG_LEVELS)
        self._ready = ready
        self._health = health.aio.HealthServicer()
        self._names = ["", *(registration.service.full_name for registration in self._registrations)]
        self._server: grpc.aio.Server | None = None
        self._watch: asyncio.Task[None] | None = None

    @property
    def measures(self) -> Measures:
        """What it counts of its calls."""
        return self._chain.numbers.measures

    async def run(self) -> None:
        """Starts unless started, serves until SIGTERM or SIGINT, then stops within the grace.

        A stop that hangs ends the process 2 s after the grace, with status 1; so does a second signal, at once.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._asked_to_stop)
        try:
            if self._server is None:
                await self.start()
            settle_memory()
            await self.stopping.wait()
            await self._stop_watched()
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    async def start(self) -> None:
        """Listens. Raises OSError when the address is taken or not ours."""
        server = grpc.aio.server(
            options=_options(self._settings), maximum_concurrent_rpcs=self._settings.maximum_concurrent_rpcs + _BESIDES
        )
        for registration in self._registrations:
            self._add(server, registration)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        served = [*self._names[1:], health.SERVICE_NAME, reflection.SERVICE_NAME]
        reflection.enable_server_reflection(served, server)
        await self._tell_health(serving=False)
        await self._health.set(ALIVE, health_pb2.HealthCheckResponse.SERVING)
        self.port = _bind(server, self._settings)
        await server.start()
        self._server = server
        self._watch = asyncio.create_task(watch_readiness(self._ready, self._tell_health))
        _LOG.info("server_started", listen=self._settings.listen, port=self.port)

    async def stop(self) -> None:
        """Health says NOT_SERVING, then no call is taken, streams end, and calls that run may finish within the grace.

        Idempotent.
        """
        self.stopping.set()
        server, self._server = self._server, None
        if server is None:
            return
        if self._watch:
            self._watch.cancel()
        await self._health.enter_graceful_shutdown()
        self._load.let_streams_go()
        await asyncio.sleep(self._settings.linger.total_seconds())
        self._load.end_streams()
        await server.stop(self._settings.grace.total_seconds())
        _LOG.info("server_stopped", port=self.port)

    def _asked_to_stop(self) -> None:
        if self.stopping.is_set():
            os._exit(1)
        self.stopping.set()

    async def _stop_watched(self) -> None:
        limit = (self._settings.linger + self._settings.grace + _WATCHDOG).total_seconds()
        watchdog = threading.Timer(limit, os._exit, args=(1,))
        watchdog.daemon = True
        watchdog.start()
        try:
            await self.stop()
        finally:
            watchdog.cancel()

    async def _tell_health(self, *, serving: bool) -> None:
        states = health_pb2.HealthCheckResponse
        status = states.SERVING if serving else states.NOT_SERVING
        for name in self._names:
            await self._health.set(name, status)
        if not serving:
            self._load.let_streams_go()

    def _add(self, server: grpc.aio.Server, registration: Registration) -> None:
        """Registers the service's methods, each behind the chain, as the generated code would have done without it."""
        name = registration.service.full_name
        recorder = _Recorder()
        registration.add(registration.servicer, recorder)
        methods = registration.service.methods_by_name
        handlers = {
            method: self._chain.wrap(methods[method], handler) for method, handler in recorder.handlers[name].items()
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))
        server.add_registered_method_handlers(name, handlers)


class _Recorder:
    """Stands in for a server, and keeps what generated code adds to it."""

    def __init__(self) -> None:
        self.handlers: dict[str, Mapping[str, Handler]] = {}

    def add_generic_rpc_handlers(self, handlers: object) -> None:
        """The same handlers in the older form."""

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Handler]) -> None:
        self.handlers[service] = handlers


def _options(settings: RpcSettings) -> Sequence[tuple[str, int]]:
    return (
        # Otherwise a second server binds the same port in silence, and takes half of the calls.
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", settings.receive_limit),
        ("grpc.max_send_message_length", settings.send_limit),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", 20_000),
        # As much as the gateway lets through, or a long header would be a broken stream instead of an answer.
        ("grpc.max_metadata_size", 32 * 1024),
        ("grpc.absolute_max_metadata_size", 64 * 1024),
    )


def _bind(server: grpc.aio.Server, settings: RpcSettings) -> int:
    try:
        port = settings.tls.listen(server, settings.listen)
    except RuntimeError:
        port = 0
    if not port:
        raise OSError(f"cannot listen on {settings.listen}: the port is taken, or the address is not this machine's")
    return port
