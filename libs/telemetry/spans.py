from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from opentelemetry import trace
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue

_tracer = trace.get_tracer("contactsync")
_no_span = nullcontext(INVALID_SPAN)


def span(
    name: str, *, kind: SpanKind = SpanKind.INTERNAL, **attributes: AttributeValue
) -> AbstractContextManager[Span]:
    """Run the block inside a span. Next to free when the current trace is not sampled: then no span is made.

    An exception marks the span as failed with its type alone, since its text may hold contact data.
    """
    parent = trace.get_current_span().get_span_context()
    if parent.is_valid and not parent.trace_flags.sampled:
        return _no_span
    return _span(name, kind, attributes)


@contextmanager
def _span(name: str, kind: SpanKind, attributes: dict[str, AttributeValue]) -> Iterator[Span]:
    with _tracer.start_as_current_span(
        name, kind=kind, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield current
        except Exception as failure:
            current.set_status(Status(StatusCode.ERROR, type(failure).__name__))
            raise
