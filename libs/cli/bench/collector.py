"""A collector that takes spans over OTLP and keeps none."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc

_SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService"


@dataclass(slots=True)
class Collector:
    """Counts what it is sent."""

    endpoint: str = ""
    exports: int = 0
    received_bytes: int = 0

    async def take(self, request: bytes, _context: "grpc.aio.ServicerContext[Any, Any]") -> bytes:
        """One export. The empty answer means that all of it was taken."""
        self.exports += 1
        self.received_bytes += len(request)
        return b""


@asynccontextmanager
async def running_collector() -> AsyncIterator[Collector]:
    """A collector on a free port of loopback."""
    collector = Collector()
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    export: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(collector.take)
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(_SERVICE, {"Export": export})])
    collector.endpoint = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield collector
    finally:
        await server.stop(None)
