"""A question's span, and the headers by which whoever is asked may go on with the trace."""

from contextlib import AbstractContextManager, nullcontext

from opentelemetry import trace
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from yarl import URL

_TRACER = trace.get_tracer("libs.egress")
_NO_SPAN = nullcontext(INVALID_SPAN)
_TRACES = TraceContextTextMapPropagator()


def asking(method: str, target: URL) -> AbstractContextManager[Span]:
    """A CLIENT span where the current trace is recorded, which stays current while the block runs.

    Of the URL it has the host alone: paths and queries hold phone numbers and secrets.
    """
    if not trace.get_current_span().get_span_context().trace_flags.sampled:
        return _NO_SPAN
    return _TRACER.start_as_current_span(
        method,
        kind=SpanKind.CLIENT,
        attributes={
            "http.request.method": method,
            "url.scheme": target.scheme,
            "server.address": target.raw_host or "",
            "server.port": target.port or 0,
        },
        record_exception=False,
        set_status_on_exception=False,
    )


def trace_headers() -> dict[str, str]:
    """No baggage: it is the hub's own."""
    headers: dict[str, str] = {}
    _TRACES.inject(headers)
    return headers


def tell(span: Span, told: str) -> None:
    """What came of it: a status, or the type of what went wrong, whose text may hold the URL."""
    if not span.is_recording():
        return
    if told.isdigit():
        span.set_attribute("http.response.status_code", int(told))
    if not told.isdigit() or int(told) >= 400:
        span.set_attribute("error.type", told)
        span.set_status(Status(StatusCode.ERROR, told))
