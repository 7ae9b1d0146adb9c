"""The trace and the baggage of a message: in its headers on the way, bound while it is delivered."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from opentelemetry import context, propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode

ITEMS = context.create_key("items")
"""Set where the items of a message have spans of their own: then the message has none beside them."""
_ITEMS_HEADER = "Contactsync-Items"
_tracer = trace.get_tracer("libs.bus")


@contextmanager
def publishing(subject: str, message_id: str) -> Iterator[dict[str, str]]:
    """Give the headers that carry the current context, under a producer span when the trace is recorded."""
    with _span("publish", SpanKind.PRODUCER, subject, message_id):
        headers: dict[str, str] = {}
        propagate.inject(headers)
        if context.get_value(ITEMS):
            headers[_ITEMS_HEADER] = "traced"
        yield headers


@contextmanager
def bound(headers: Mapping[str, str]) -> Iterator[None]:
    """Bind the context that came in the headers, and nothing of the consumer's own."""
    came = propagate.extract(headers, context=Context())
    token = context.attach(context.set_value(ITEMS, True, came) if _ITEMS_HEADER in headers else came)  # noqa: FBT003 - the value
    try:
        yield
    finally:
        context.detach(token)


def delivering(subject: str, message_id: str) -> AbstractContextManager[None]:
    """Deliver under a consumer span when the trace is recorded."""
    return _span("process", SpanKind.CONSUMER, subject, message_id)


def attributes_of(subject: str, operation: str) -> dict[str, str | int]:
    """What every span of a message tells, by OpenTelemetry's conventions. `operation`: publish or process."""
    return {
        "messaging.system": "nats",
        "messaging.destination.name": subject,
        "messaging.operation.name": operation,
        "messaging.operation.type": "send" if operation == "publish" else operation,
    }


@contextmanager
def _span(operation: str, kind: SpanKind, subject: str, message_id: str) -> Iterator[None]:
    if not trace.get_current_span().get_span_context().trace_flags.sampled or context.get_value(ITEMS):
        yield  # a child would not be recorded, and a message of no request at all makes no trace of its own
        return
    attributes = attributes_of(subject, operation) | {"messaging.message.id": message_id}
    with _tracer.start_as_current_span(
        f"{operation} {subject}",
        kind=kind,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield
        except Exception as failure:
            mark_failed(span, failure)
            raise


def mark_failed(span: trace.Span, failure: Exception) -> None:
    """By its type alone: the text of a foreign exception may hold contact data."""
    kind = type(failure).__qualname__
    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR, kind))
