"""Logs and traces of one process, set up once in its `main`."""

import sys
from typing import TYPE_CHECKING, TextIO

from opentelemetry import trace

from libs.measures import About, Counter, Measures
from libs.telemetry.logs import configure_logs
from libs.telemetry.unrecorded import Unrecorded

if TYPE_CHECKING:
    from libs.telemetry.exporting import Exporting


class Telemetry:
    """What `configure_telemetry` started."""

    def __init__(self, exporting: "Exporting | None") -> None:
        self._exporting = exporting
        dropped = About(
            name="contactsync.trace.spans.dropped", text="Spans that the collector did not get.", unit="{span}"
        )
        self._dropped = Counter(dropped)
        self.measures = Measures(instruments=(self._dropped,), surveys=(self._look,))

    async def _look(self) -> None:
        if self._exporting:
            self._dropped.reach(self._exporting.outgoing.dropped)

    async def close(self) -> None:
        """Send the spans that wait, for at most 2 s, and stop. Logging goes on."""
        if self._exporting:
            await self._exporting.close()


def configure_telemetry(
    *,
    service: str,
    version: str | None = None,
    otlp_endpoint: str | None = None,
    level: str = "INFO",
    trace_rate: float = 20.0,
    trace_ratio: float = 0.01,
    stream: TextIO | None = None,
) -> Telemetry:
    """Make structlog and stdlib logging write one JSON line per fact (console form on a terminal) to `stream`.

    Each line carries trace_id, span_id and correlation_id of the current context. Spans go to `otlp_endpoint`
    (`http://host:4317`): every trace that a caller sampled, the first `trace_rate` of our own in a second, and
    `trace_ratio` of the rest. Without an endpoint ids exist and travel on, and nothing is recorded. An absent or slow
    collector costs spans, never time. `stream` None: standard error. `version` None: that of the installed package.
    """
    configure_logs(service=service, level=level, stream=stream or sys.stderr)
    if not otlp_endpoint:
        trace.set_tracer_provider(Unrecorded())
        return Telemetry(None)
    # Imported only where spans go somewhere: the SDK and its exporter cost 5 MB and a quarter of a second at start.
    from libs.telemetry.exporting import Exporting, describe  # noqa: PLC0415 - see above
    from libs.telemetry.sampling import sampler  # noqa: PLC0415 - see above

    exporting = Exporting(describe(service, version), sampler(trace_rate, trace_ratio), otlp_endpoint)
    trace.set_tracer_provider(exporting.provider)
    return Telemetry(exporting)
