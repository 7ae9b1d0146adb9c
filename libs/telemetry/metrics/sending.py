"""The numbers on their way to a collector by OTLP, which may be slow or absent: that costs numbers, never time."""

import asyncio
import logging
import math
from typing import Any

import structlog
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import (
    MetricExporter,
    MetricExportResult,
    MetricsData,
    PeriodicExportingMetricReader,
)
from typing_extensions import override

from libs.telemetry.metrics.gathering import Gathered
from libs.telemetry.metrics.model import provide, with_histograms

_log = structlog.get_logger("libs.telemetry")

_PAUSE_SECONDS = 15.0
_EXPORT_SECONDS = 3
_LOUD = "opentelemetry.exporter.otlp.proto.grpc.exporter"
"""It writes a line per failed attempt; `_Complete` writes one per outage."""


async def send_always(gathered: Gathered, endpoint: str) -> None:
    """Send every 15 s until cancelled, and then once more."""
    logging.getLogger(_LOUD).setLevel(logging.CRITICAL)
    exporter = _Complete(OTLPMetricExporter(endpoint=endpoint, timeout=_EXPORT_SECONDS), gathered, endpoint)
    # Its own thread could not wait for what must be asked of a database: the loop keeps the time instead.
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=math.inf)
    provider = provide(gathered, reader)
    try:
        while True:
            await gathered.look()
            await asyncio.to_thread(reader.collect)
            await asyncio.sleep(_PAUSE_SECONDS)
    finally:
        await asyncio.to_thread(reader.collect)
        await asyncio.to_thread(provider.shutdown, _EXPORT_SECONDS * 1000)


class _Complete(MetricExporter):
    """Adds the histograms, and tells of an outage once when it begins and once when it is over."""

    def __init__(self, exporter: OTLPMetricExporter, gathered: Gathered, endpoint: str) -> None:
        super().__init__()
        self._exporter = exporter
        self._gathered = gathered
        self._endpoint = endpoint
        self._is_away = False

    @override
    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        complete = with_histograms(metrics_data, self._gathered)
        result = self._exporter.export(complete, timeout_millis, **kwargs)
        is_away = result is not MetricExportResult.SUCCESS
        if is_away and not self._is_away:
            _log.warning("metric_collector_unavailable", endpoint=self._endpoint)
        elif self._is_away and not is_away:
            _log.info("metric_collector_back", endpoint=self._endpoint)
        self._is_away = is_away
        return result

    @override
    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        return self._exporter.force_flush(timeout_millis)

    @override
    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        self._exporter.shutdown(timeout_millis)
