"""Spans that wait for the collector: at most so many, and nobody waits for them."""

from collections import deque
from threading import Event, Thread

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult


class Outgoing(SpanProcessor):
    """Sends ended spans in batches from a thread of its own. The SDK's own does not tell what it dropped."""

    def __init__(self, exporter: SpanExporter, *, room: int, batch: int, delay_seconds: float) -> None:
        """`room` is how many wait at most, a batch goes when it is full or after the delay."""
        self._exporter = exporter
        self._room = room
        self._batch = batch
        self._delay = delay_seconds
        self._waiting: deque[ReadableSpan] = deque()
        self._wake = Event()
        self._stopping = False
        self.sent = 0
        """Spans that the collector has taken."""
        self.dropped = 0
        """Spans that it did not get: there was no room, or it did not take them."""
        self._thread = Thread(target=self._run, name="telemetry-spans", daemon=True)
        self._thread.start()

    def on_end(self, span: ReadableSpan) -> None:
        """Never blocks. Without room the span is dropped, and counted."""
        if span.context is None or not span.context.trace_flags.sampled:
            return
        if len(self._waiting) >= self._room or self._stopping:
            self.dropped += 1
            return
        self._waiting.append(span)
        if len(self._waiting) == self._batch:
            self._wake.set()

    def shutdown(self) -> None:
        """Send what waits, for as long as the exporter lets it, and stop."""
        self._stopping = True
        self._wake.set()
        self._thread.join()
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:  # noqa: ARG002 - the SDK's signature
        """Nothing is flushed by force: what waits goes within the delay."""
        return not self._waiting

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait(self._delay)
            self._wake.clear()
            self._send_all()
        self._send_all()

    def _send_all(self) -> None:
        """After a failure the rest waits for the next time, so that an outage costs one batch in a while."""
        while self._waiting:
            spans = [self._waiting.popleft() for _ in range(min(self._batch, len(self._waiting)))]
            if self._exporter.export(spans) is not SpanExportResult.SUCCESS:
                self.dropped += len(spans)
                return
            self.sent += len(spans)
