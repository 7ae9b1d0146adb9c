"""The items of a message, each of which belongs to a request of its own.

A message may carry items of many requests, so its headers cannot hold their traces: they travel in the items.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from opentelemetry import baggage, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_TRACER = trace.get_tracer("libs.bus")
_TRACES = TraceContextTextMapPropagator()
_SAMPLED = frozenset("13579bdf")


class Item(Protocol):
    """What an item tells of its request."""

    @property
    def correlation_id(self) -> str:
        """Of the request."""

    @property
    def traceparent(self) -> str:
        """W3C trace context; empty: not traced."""


@contextmanager
def publishing_items(subject: str, items: Sequence[Item]) -> Iterator[list[str]]:
    """Give for each item the traceparent that it is to travel with.

    It is that of a producer span, which lasts as long as the block, or the item's own when its trace is not recorded.
    """
    with _spans(f"{subject} publish", SpanKind.PRODUCER, subject, items) as traceparents:
        yield traceparents


@contextmanager
def delivering_items(subject: str, items: Sequence[Item]) -> Iterator[list[str]]:
    """Give for each item the traceparent that it is to be worked under: that of a consumer span, or its own."""
    with _spans(f"{subject} deliver", SpanKind.CONSUMER, subject, items) as traceparents:
        yield traceparents


@contextmanager
def _spans(name: str, kind: SpanKind, subject: str, items: Sequence[Item]) -> Iterator[list[str]]:
    spans = [_begin(name, kind, subject, item) if item.traceparent[-1:] in _SAMPLED else None for item in items]
    try:
        yield [_traceparent(span) if span else item.traceparent for span, item in zip(spans, items, strict=True)]
    except Exception as failure:
        for span in filter(None, spans):
            # The type alone: the text of a foreign exception may hold contact data.
            span.set_status(Status(StatusCode.ERROR, type(failure).__name__))
        raise
    finally:
        for span in filter(None, spans):
            span.end()


def _begin(name: str, kind: SpanKind, subject: str, item: Item) -> Span:
    context = _TRACES.extract({"traceparent": item.traceparent}, Context())
    context = baggage.set_baggage("correlation_id", item.correlation_id, context)
    attributes = {"messaging.system": "nats", "messaging.destination.name": subject}
    return _TRACER.start_span(name, context, kind=kind, attributes=attributes)


def _traceparent(span: Span) -> str:
    headers: dict[str, str] = {}
    _TRACES.inject(headers, trace.set_span_in_context(span, Context()))
    return headers["traceparent"]
