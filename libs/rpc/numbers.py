"""What a server counts of its calls."""

from time import perf_counter

from opentelemetry.trace import Span

from libs.measures import About, Counter, Histogram, Measures


class ServerNumbers:
    """How long calls take and how they end, and which were refused and why: some 1 µs a call."""

    def __init__(self) -> None:
        duration = About(
            name="rpc.server.call.duration",
            text="How long calls take, from their arrival to their answer. A refusal on a REST route counts with the "
            "code that it has on gRPC. Streams of answers last as long as their readers, and are not counted.",
            unit="s",
            labels=("rpc.method", "rpc.response.status_code"),
        )
        refusals = About(
            name="contactsync.refusals",
            text="Calls that were refused or failed, by reason: of error/v1/reason.proto.",
            unit="{call}",
            labels=("rpc.method", "contactsync.reason"),
        )
        self._durations, self._refusals = Histogram(duration), Counter(refusals)
        self.measures = Measures(instruments=(self._durations, self._refusals))

    def refused(self, method: str, reason: str) -> None:
        """Count a call that gets its refusal."""
        self._refusals.add((method, reason))

    def ended(self, method: str, code: str, *, began: float, span: Span) -> None:
        """Count a call that is over; `began` by `perf_counter`."""
        kept = None
        if span.is_recording():
            context = span.get_span_context()
            kept = (context.trace_id, context.span_id)
        self._durations.record(perf_counter() - began, (method, code), span=kept)
