"""Metrics: what parts of the process counted (`libs.measures`), told by way of OpenTelemetry to whoever asks."""

from libs.telemetry.metrics.telling import telling

__all__ = ["telling"]
