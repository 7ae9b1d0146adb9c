"""Logs and traces of one process, set up once in its `main`."""

from typing import TextIO


class Telemetry:
    """What `configure_telemetry` started."""

    async def close(self) -> None:
        """Send the spans that wait, for at most 2 s, and stop. Logging goes on."""
        raise NotImplementedError


def configure_telemetry(
    *,
    service: str,
    version: str = "0",
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
    collector costs spans, never time. `stream` None: standard error.
    """
    raise NotImplementedError
