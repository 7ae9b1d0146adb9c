"""One trace and one correlation id through every hop, bound to the OpenTelemetry context."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import Token
from types import TracebackType

from contactsync.call.v1.call_pb2 import CallContext
from opentelemetry import baggage, trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import (
    INVALID_SPAN,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from libs.rpc.correlation import BAGGAGE_KEY
from libs.rpc.reason import Wire

TRACE_HEADER = "traceparent"
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_SAMPLED = frozenset("13579bdf")
_TRACER = trace.get_tracer("libs.rpc")


def bound_correlation_id() -> str:
    """The correlation id of the current request; "" in background work."""
    bound = baggage.get_baggage(BAGGAGE_KEY)
    return bound if isinstance(bound, str) else ""


def current_traceparent() -> str:
    """The current span as a `traceparent`; "" when there is none."""
    span = trace.get_current_span().get_span_context()
    if not span.is_valid:
        return ""
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"


def call_context(*, caller: str = "") -> CallContext:
    """The current request, for an item of a batched call. `caller` is a statement about the client it is for."""
    return CallContext(correlation_id=bound_correlation_id(), traceparent=current_traceparent(), caller=caller)


def begin_span(
    name: str, *, traceparent: str, correlation_id: str, attributes: Mapping[str, str]
) -> tuple[Context, Span]:
    """A SERVER span under `traceparent`, and the context that holds it and the correlation id.

    A caller that does not sample gets no span of ours, only its own ids carried on: a span that nobody keeps costs as
    much to make.
    """
    parent = _remote_parent(traceparent)
    context = _bound(parent, correlation_id)
    if parent is not None and not parent.trace_flags.sampled:
        return context, INVALID_SPAN
    span = _TRACER.start_span(
        name, context, kind=SpanKind.SERVER, attributes={**attributes, BAGGAGE_KEY: correlation_id}
    )
    return set_span_in_context(span, context), span


def bind_correlation_id(correlation_id: str) -> Context:
    """A context with nothing but the correlation id."""
    return _bound(None, correlation_id)


def request_context(*, traceparent: str, correlation_id: str) -> Context:
    """A context with nothing but the trace and the correlation id of a request, either of which may be empty."""
    return _bound(_remote_parent(traceparent), correlation_id)


def _bound(parent: SpanContext | None, correlation_id: str) -> Context:
    context = Context() if parent is None else set_span_in_context(NonRecordingSpan(parent), Context())
    return baggage.set_baggage(BAGGAGE_KEY, correlation_id, context) if correlation_id else context


def attributes_of(method: str) -> dict[str, str]:
    """What a span of a call tells, by OpenTelemetry's conventions. `method` is "package.Service/Method"."""
    return {"rpc.system.name": "grpc", "rpc.method": method}


def tell_refusal(span: Span, wire: Wire) -> None:
    """Leaves the reason of a refusal. Only what is the hub's fault makes the span one that failed."""
    if not span.is_recording():
        return
    span.set_attribute("rpc.response.status_code", wire.grpc_code.name)
    span.set_attribute("error.type", wire.reason)
    if wire.http_status >= 500:
        span.set_status(Status(StatusCode.ERROR, wire.reason))


def end_failed(span: Span, error_type: str) -> None:
    """Marks a span as failed, by the kind of error and never its text."""
    span.set_attribute("error.type", error_type)
    span.set_status(Status(StatusCode.ERROR, error_type))


@contextmanager
def calling(method: str) -> Iterator[None]:
    """A CLIENT span for a call to a peer, where the current trace is recorded.

    Without a request there is none: a batched call belongs to many.
    """
    if not trace.get_current_span().get_span_context().trace_flags.sampled:
        yield
        return
    with _TRACER.start_as_current_span(
        method,
        kind=SpanKind.CLIENT,
        attributes=attributes_of(method),
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield
        except Exception as failure:
            end_failed(span, str(getattr(failure, "reason", type(failure).__qualname__)))
            raise


class serve_item:  # noqa: N801 - reads as a verb: `with serve_item(item.context, "idempotency.Begin"):`
    """Serves one item of a batched call as its own request.

    Its correlation id is bound, and a SERVER span stands for it when its caller sampled the trace.
    """

    __slots__ = ("_about", "_context", "_method", "_name", "_span", "_token")

    def __init__(self, context: CallContext, name: str, *, method: str = "", **about: str) -> None:
        """`name` is the span's, "service.Verb"; `about` the ids that it has.

        `method` is that of the batched call, "package.Service/Method"; empty: the item came otherwise.
        """
        self._context = context
        self._name = name
        self._method = method
        self._about = about

    def __enter__(self) -> None:
        context = self._context
        if context.traceparent:
            bound, self._span = begin_span(
                self._name,
                traceparent=context.traceparent,
                correlation_id=context.correlation_id,
                attributes={**attributes_of(self._method), **self._about} if self._method else self._about,
            )
        else:
            bound, self._span = bind_correlation_id(context.correlation_id), INVALID_SPAN
        self._token: Token[Context] = attach(bound)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        detach(self._token)
        if kind is not None:
            end_failed(self._span, str(getattr(error, "reason", kind.__qualname__)))
        self._span.end()


def is_sampled(context: CallContext) -> bool:
    """Whether the caller records its trace: the lowest bit of the last hex digit of a traceparent."""
    return context.traceparent[-1:] in _SAMPLED


def serve_together(contexts: Iterable[CallContext], name: str, *, method: str) -> ExitStack:
    """Serves all items of a batched call at once: a span for each whose caller sampled its trace.

    They are decided together, so they last alike.
    """
    stack = ExitStack()
    for context in contexts:
        if is_sampled(context):
            stack.enter_context(serve_item(context, name, method=method))
    return stack


def _remote_parent(traceparent: str) -> SpanContext | None:
    """None: absent or malformed, which W3C asks to treat alike."""
    match = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if match is None:
        return None
    trace_id, span_id, flags = (int(group, 16) for group in match.groups())
    parent = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags))
    return parent if parent.is_valid else None
