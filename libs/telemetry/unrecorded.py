"""Traces that nobody collects: ids exist and travel on, and OpenTelemetry's SDK is not even imported."""

import random
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, Tracer, TracerProvider
from opentelemetry.util._decorator import _AgnosticContextManager
from typing_extensions import override


class Unrecorded(TracerProvider):
    """Gives tracers whose spans have ids, are not sampled, and keep nothing."""

    @override
    def get_tracer(self, *_: Any, **__: Any) -> Tracer:
        return _UnrecordedTracer()


class _UnrecordedTracer(Tracer):
    @override
    def start_span(self, name: str, context: Context | None = None, *_: Any, **__: Any) -> Span:
        parent = trace.get_current_span(context).get_span_context()
        trace_id = parent.trace_id if parent.is_valid else random.getrandbits(128)
        return NonRecordingSpan(SpanContext(trace_id, random.getrandbits(64), is_remote=False))

    @override
    def start_as_current_span(
        self, name: str, context: Context | None = None, *_: Any, **__: Any
    ) -> _AgnosticContextManager[Span]:
        return trace.use_span(self.start_span(name, context))
