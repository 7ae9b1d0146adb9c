from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

from opentelemetry import trace
from opentelemetry.trace import INVALID_SPAN, Link, Span, SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue

DRY_RUN = "dry_run"
"""An attribute of spans."""
_tracer = trace.get_tracer("contactsync")
_no_span = nullcontext(INVALID_SPAN)


def span(
    name: str, *, kind: SpanKind = SpanKind.INTERNAL, because_of: Span = INVALID_SPAN, **attributes: AttributeValue
) -> AbstractContextManager[Span]:
    """Run the block inside a span. Next to free when the current trace is not sampled: then no span is made.

    `because_of` is what set it going in another trace, to which it links. An exception marks the span as failed with
    its type alone, since its text may hold contact data.
    """
    parent = trace.get_current_span().get_span_context()
    if parent.is_valid and not parent.trace_flags.sampled:
        return _no_span
    cause = because_of.get_span_context()
    links = [Link(cause)] if cause.trace_flags.sampled and cause.trace_id != parent.trace_id else None
    return _span(name, kind, attributes, links)


def dry_run_span(name: str) -> AbstractContextManager[Span]:
    """Run the block inside a span that is recorded whatever the rate, in a trace of its own where there is none.

    But not where a caller brought a trace that is not sampled: then it has decided.
    """
    parent = trace.get_current_span().get_span_context()
    if parent.is_valid and not parent.trace_flags.sampled and not parent.is_remote:
        apart = trace.set_span_in_context(INVALID_SPAN)
        return _tracer.start_as_current_span(
            name, apart, attributes={DRY_RUN: True}, record_exception=False, set_status_on_exception=False
        )
    return span(name, dry_run=True)


def mark_failed(current: Span, reason: str) -> None:
    """Mark a span as failed. `reason` is one of few, and no contact data."""
    current.set_attribute("error.type", reason)
    current.set_status(Status(StatusCode.ERROR, reason))


@contextmanager
def _span(
    name: str, kind: SpanKind, attributes: dict[str, AttributeValue], links: Sequence[Link] | None
) -> Iterator[Span]:
    with _tracer.start_as_current_span(
        name, kind=kind, attributes=attributes, links=links, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield current
        except Exception as failure:
            mark_failed(current, type(failure).__name__)
            raise
