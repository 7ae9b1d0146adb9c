from opentelemetry.trace import SpanKind

from libs.telemetry.configure import Telemetry, configure_telemetry
from libs.telemetry.masking import Email, Masked, Phone, mask_text
from libs.telemetry.spans import dry_run_span, mark_failed, span

CLIENT = SpanKind.CLIENT
CONSUMER = SpanKind.CONSUMER
INTERNAL = SpanKind.INTERNAL
PRODUCER = SpanKind.PRODUCER

__all__ = [
    "CLIENT",
    "CONSUMER",
    "INTERNAL",
    "PRODUCER",
    "Email",
    "Masked",
    "Phone",
    "Telemetry",
    "configure_telemetry",
    "dry_run_span",
    "mark_failed",
    "mask_text",
    "span",
]
