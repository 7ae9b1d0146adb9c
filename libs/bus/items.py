"""The items of a message, each of which belongs to a request of its own.

A message may carry items of many requests, so its headers cannot hold their traces: they travel in the items. The
headers hold that of the first recorded one, to which the others link when they are worked on: one message, many traces.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeVar

from opentelemetry import baggage, context, trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from libs.bus.tracing import ITEMS, attributes_of, mark_failed

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


AnyItem = TypeVar("AnyItem", bound=Item)
About = Callable[[AnyItem], Mapping[str, str]]
"""The ids that an item's spans have."""


@contextmanager
def publishing_items(subject: str, items: Sequence[AnyItem], about: About[AnyItem]) -> Iterator[list[str]]:
    """Give for each item the traceparent that it is to travel with.

    It is that of a producer span, which lasts as long as the block, or the item's own when its trace is not recorded.
    """
    spans = _begin_all("publish", SpanKind.PRODUCER, subject, items, about)
    first = next(filter(None, spans), None)
    with _lasting(spans, None if first is None else _in_headers(first)):
        yield _traceparents(spans, items)


@contextmanager
def delivering_items(subject: str, items: Sequence[AnyItem], about: About[AnyItem]) -> Iterator[list[str]]:
    """Give for each item the traceparent that it is to be worked under: that of a consumer span, or its own.

    The context of an item that came alone is bound while the block lasts; of several, none is.
    """
    spans = _begin_all("process", SpanKind.CONSUMER, subject, items, about)
    alone = spans[0] if len(spans) == 1 else None
    with _lasting(spans, Context() if alone is None else _bound(alone, items[0].correlation_id)):
        yield _traceparents(spans, items)


def _begin_all(
    operation: str, kind: SpanKind, subject: str, items: Sequence[AnyItem], about: About[AnyItem]
) -> list[Span | None]:
    recorded = [item.traceparent[-1:] in _SAMPLED for item in items]
    if not any(recorded):
        return [None] * len(items)
    attributes = attributes_of(subject, operation)
    if len(items) > 1:
        attributes["messaging.batch.message_count"] = len(items)
    return [
        _begin(f"{operation} {subject}", kind, item, {**attributes, **about(item)}) if wanted else None
        for item, wanted in zip(items, recorded, strict=True)
    ]


def _begin(name: str, kind: SpanKind, item: Item, attributes: Mapping[str, str | int]) -> Span:
    parent = _TRACES.extract({"traceparent": item.traceparent}, Context())
    message = trace.get_current_span().get_span_context()
    of_another = message.is_valid and message.trace_id != trace.get_current_span(parent).get_span_context().trace_id
    parent = baggage.set_baggage("correlation_id", item.correlation_id, parent)
    return _TRACER.start_span(
        name, parent, kind=kind, attributes=attributes, links=[Link(message)] if of_another else None
    )


@contextmanager
def _lasting(spans: Sequence[Span | None], bound: Context | None) -> Iterator[None]:
    token = None if bound is None else context.attach(bound)
    try:
        yield
    except Exception as failure:
        for span in filter(None, spans):
            mark_failed(span, failure)
        raise
    finally:
        if token is not None:
            context.detach(token)
        for span in filter(None, spans):
            span.end()


def _in_headers(span: Span) -> Context:
    return context.set_value(ITEMS, True, trace.set_span_in_context(span, Context()))  # noqa: FBT003 - the value


def _bound(span: Span, correlation_id: str) -> Context:
    return baggage.set_baggage("correlation_id", correlation_id, trace.set_span_in_context(span, Context()))


def _traceparents(spans: Sequence[Span | None], items: Sequence[Item]) -> list[str]:
    return [_traceparent(span) if span else item.traceparent for span, item in zip(spans, items, strict=True)]


def _traceparent(span: Span) -> str:
    headers: dict[str, str] = {}
    _TRACES.inject(headers, trace.set_span_in_context(span, Context()))
    return headers["traceparent"]
