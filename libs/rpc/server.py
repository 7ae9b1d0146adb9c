"""A gRPC server as every service runs it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from google.protobuf.descriptor import ServiceDescriptor

from libs.rpc.door import Door


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcSettings:
    """How a server listens. Sizes are bytes."""

    listen: str
    """host:port; port 0 takes a free one, told by `RpcServer.port`."""
    receive_limit: int = 9 * 1024 * 1024
    send_limit: int = 9 * 1024 * 1024
    maximum_concurrent_rpcs: int = 512
    grace: timedelta = timedelta(seconds=10)
    """How long calls that run may go on after a stop was asked for."""


@dataclass(frozen=True, slots=True)
class Registration:
    """A service that the server serves."""

    service: ServiceDescriptor
    add: Callable[[Any, Any], None]
    """The generated `add_…Servicer_to_server`."""
    servicer: object


async def always_ready() -> None:
    """For a service that needs nothing to be ready."""


class RpcServer:
    """A server behind a door, with health and reflection."""

    port: int
    """The port it listens on, once started."""
    stopping: asyncio.Event
    """Set when a stop was asked for."""

    def __init__(
        self,
        settings: RpcSettings,
        registrations: Sequence[Registration],
        *,
        door: Door,
        ready: Callable[[], Awaitable[None]] = always_ready,
    ) -> None:
        """`ready` raises when the service cannot do its work; health says SERVING while it does not raise."""

    async def run(self) -> None:
        """Serves until SIGTERM or SIGINT, then stops within the grace; a watchdog ends the process when that hangs."""

    async def start(self) -> None:
        """Listens. Raises OSError when the port is taken."""

    async def stop(self) -> None:
        """Health says NOT_SERVING, calls that run may finish within the grace, then everything ends. Idempotent."""
