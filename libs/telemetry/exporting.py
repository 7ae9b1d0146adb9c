"""Spans on their way to the collector, which may be slow or absent: that costs spans, never time."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from importlib.metadata import version as version_of
from threading import Thread

import structlog
from opentelemetry import baggage
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import Sampler

from libs.telemetry.outgoing import Outgoing

_log = structlog.get_logger("libs.telemetry")

# Some 2 KB each: what a collector that is away costs a process in memory.
_ROOM = 4096
_BATCH = 512
_DELAY_SECONDS = 2.0
_EXPORT_SECONDS = 3
_CLOSE_SECONDS = 2.0

# They write a line per failed batch and attempt; `_Quiet` writes one per outage.
_LOUD = ("opentelemetry.exporter.otlp.proto.grpc.exporter",)


def describe(service: str, version: str | None) -> Resource:
    """Tell what all spans of a process have in common. `version` None: that of the installed package."""
    return Resource.create(
        {
            "service.namespace": "contactsync",
            "service.name": service,
            "service.version": version or version_of("contactsync"),
        }
    )


class Exporting:
    """A tracer provider with its way out."""

    def __init__(self, resource: Resource, sampler: Sampler, endpoint: str) -> None:
        self.provider = TracerProvider(resource=resource, sampler=sampler, shutdown_on_exit=False)
        self._exporter = _Quiet(OTLPSpanExporter(endpoint=endpoint, timeout=_EXPORT_SECONDS), endpoint)
        self.outgoing = Outgoing(self._exporter, room=_ROOM, batch=_BATCH, delay_seconds=_DELAY_SECONDS)
        self._exporter.count = lambda: self.outgoing.dropped
        self.provider.add_span_processor(_WithCorrelation())
        self.provider.add_span_processor(self.outgoing)

    async def close(self) -> None:
        """Send what waits, for at most 2 s; what is left then is dropped."""
        stopping = Thread(target=self.provider.shutdown, name="telemetry-close", daemon=True)
        stopping.start()
        await asyncio.to_thread(stopping.join, _CLOSE_SECONDS)
        if stopping.is_alive():
            self._exporter.shutdown()  # cuts the call and the pause between attempts short


class _WithCorrelation(SpanProcessor):
    """Puts the correlation id of the context on every span, whichever library started it."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        correlation_id = baggage.get_baggage("correlation_id", parent_context)
        if isinstance(correlation_id, str):
            span.set_attribute("correlation_id", correlation_id)


class _Quiet(SpanExporter):
    """Tells of an outage once when it begins and once when it is over, with what it cost."""

    def __init__(self, exporter: SpanExporter, endpoint: str) -> None:
        self._exporter = exporter
        self._endpoint = endpoint
        self._is_out = False
        self._dropped_before = 0
        self._stopped = False
        self.count: Callable[[], int] = int
        """Gives how many spans were dropped so far."""
        for name in _LOUD:
            logging.getLogger(name).setLevel(logging.CRITICAL)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        failed = result is not SpanExportResult.SUCCESS
        if failed and not self._is_out:
            self._dropped_before = self.count()
            _log.warning("trace_collector_unavailable", endpoint=self._endpoint)
        elif self._is_out and not failed:
            dropped = self.count() - self._dropped_before
            _log.info("trace_collector_back", endpoint=self._endpoint, dropped_spans=dropped)
        self._is_out = failed
        return result

    def shutdown(self) -> None:
        if not self._stopped:
            self._stopped = True
            self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return self._exporter.force_flush(timeout_millis)
