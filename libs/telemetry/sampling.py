"""Which traces are recorded."""

import threading
from collections.abc import Callable, Sequence
from time import monotonic

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes

from libs.telemetry.spans import DRY_RUN


class RateThenRatio(Sampler):
    """The first `rate` traces of a second, and `ratio` of those beyond; one that begins as a dry run always.

    A quiet system records everything; a busy one pays for a bounded number.
    """

    def __init__(self, rate: float, ratio: float, *, clock: Callable[[], float] = monotonic) -> None:
        self._rate = rate
        self._tokens = rate
        self._clock = clock
        self._filled_at = clock()
        self._lock = threading.Lock()
        self._beyond = TraceIdRatioBased(ratio)

    def should_sample(  # noqa: PLR0917 - the SDK's signature
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Record while there are tokens, then by ratio of the trace id."""
        if (attributes and attributes.get(DRY_RUN)) or self._take():
            return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes, trace_state)
        return self._beyond.should_sample(parent_context, trace_id, name, kind, attributes, links)

    def _take(self) -> bool:
        with self._lock:
            now = self._clock()
            self._tokens = min(self._rate, self._tokens + (now - self._filled_at) * self._rate)
            self._filled_at = now
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True

    def get_description(self) -> str:
        """Name the sampler in debug output."""
        return f"RateThenRatio({self._rate}/s)"


def sampler(rate: float, ratio: float) -> Sampler:
    """Follow the caller's decision; decide for our own traces by rate, then ratio."""
    return ParentBased(root=RateThenRatio(rate, ratio))
