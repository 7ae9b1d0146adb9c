"""The trace and the baggage of a message: in its headers on the way, bound while it is delivered."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from opentelemetry import context, propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode

_tracer = trace.get_tracer("libs.bus")


@contextmanager
def publishing(subject: str, message_id: str) -> Iterator[dict[str, str]]:
    """Give the headers that carry the current context, under a producer span when the trace is recorded."""
    with _span(f"{subject} publish", SpanKind.PRODUCER, subject, message_id):
        headers: dict[str, str] = {}
        propagate.inject(headers)
        yield headers


@contextmanager
def bound(headers: Mapping[str, str]) -> Iterator[None]:
    """Bind the context that came in the headers, and nothing of the consumer's own."""
    token = context.attach(propagate.extract(headers, context=Context()))
    try:
        yield
    finally:
        context.detach(token)


def delivering(subject: str, message_id: str) -> AbstractContextManager[None]:
    """Deliver under a consumer span when the trace is recorded."""
    return _span(f"{subject} deliver", SpanKind.CONSUMER, subject, message_id)


@contextmanager
def _span(name: str, kind: SpanKind, subject: str, message_id: str) -> Iterator[None]:
    if not trace.get_current_span().get_span_context().trace_flags.sampled:
        yield  # a child would not be recorded, and a message of no request at all makes no trace of its own
        return
    attributes = {
        "messaging.system": "nats",
        "messaging.destination.name": subject,
        "messaging.message.id": message_id,
    }
    with _tracer.start_as_current_span(
        name, kind=kind, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield
        except Exception as failure:
            # The type alone: the text of a foreign exception may hold contact data.
            span.set_status(Status(StatusCode.ERROR, type(failure).__name__))
            raise
