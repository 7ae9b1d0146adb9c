"""Spans on their way to the collector, which may be slow or absent: that costs spans, never time."""

import asyncio
import logging
from collections.abc import Sequence
from importlib.metadata import version as version_of
from threading import Thread

import structlog
from opentelemetry import baggage
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import Sampler

_log = structlog.get_logger("libs.telemetry")

_QUEUE = 4096
_BATCH = 512
_DELAY_MILLISECONDS = 2000
_EXPORT_SECONDS = 3
_CLOSE_SECONDS = 2.0

# They write a line per failed batch, attempt and full queue; `_Quiet` writes one per outage.
_LOUD = ("opentelemetry.exporter.otlp.proto.grpc.exporter", "opentelemetry.sdk._shared_internal")


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
        self.provider.add_span_processor(_WithCorrelation())
        self.provider.add_span_processor(_batching(self._exporter))

    async def close(self) -> None:
        """Send what waits, for at most 2 s; what is left then is dropped."""
        stopping = Thread(target=self.provider.shutdown, name="telemetry-close", daemon=True)
        stopping.start()
        await asyncio.to_thread(stopping.join, _CLOSE_SECONDS)
        if stopping.is_alive():
            self._exporter.shutdown()  # cuts the call and the pause between attempts short


def _batching(exporter: SpanExporter) -> BatchSpanProcessor:
    return BatchSpanProcessor(
        exporter, max_queue_size=_QUEUE, schedule_delay_millis=_DELAY_MILLISECONDS, max_export_batch_size=_BATCH
    )


class _WithCorrelation(SpanProcessor):
    """Puts the correlation id of the context on every span, whichever library started it."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        correlation_id = baggage.get_baggage("correlation_id", parent_context)
        if isinstance(correlation_id, str):
            span.set_attribute("correlation_id", correlation_id)


class _Quiet(SpanExporter):
    """Tells of an outage once when it begins and once when it is over."""

    def __init__(self, exporter: SpanExporter, endpoint: str) -> None:
        self._exporter = exporter
        self._endpoint = endpoint
        self._dropped = 0
        self._stopped = False
        for name in _LOUD:
            logging.getLogger(name).setLevel(logging.CRITICAL)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            if self._dropped:
                _log.info("trace_collector_back", endpoint=self._endpoint, dropped_spans=self._dropped)
            self._dropped = 0
        else:
            if not self._dropped:
                _log.warning("trace_collector_unavailable", endpoint=self._endpoint)
            self._dropped += len(spans)
        return result

    def shutdown(self) -> None:
        if not self._stopped:
            self._stopped = True
            self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return self._exporter.force_flush(timeout_millis)
