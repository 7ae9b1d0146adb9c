from contextlib import AbstractContextManager

from opentelemetry.trace import Span, SpanKind
from opentelemetry.util.types import AttributeValue


def span(
    name: str, *, kind: SpanKind = SpanKind.INTERNAL, **attributes: AttributeValue
) -> AbstractContextManager[Span]:
    """Run the block inside a span. Next to free when the current trace is not sampled: then no span is made.

    An exception marks the span as failed with its type alone, since its text may hold contact data.
    """
    raise NotImplementedError
