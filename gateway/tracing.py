"""Which requests Envoy traces, and what its spans tell. Without a collector there is none of it, and no cost."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).parent / "sampling.lua"
Config = dict[str, Any]
_EXTENSIONS = "type.googleapis.com/envoy.extensions"

_FORCING = "x-client-trace-id"
_DECIDING = ("x-request-id", _FORCING, "x-envoy-force-trace")
"""Headers by which Envoy and the script agree on a trace. Services do not get them; a caller's own are dropped."""
_IS_TRACEPARENT = (
    "{0}.size() == 55 && {0}.matches('^[0-9a-e][0-9a-f]-[0-9a-f]+-[0-9a-f]{{16}}-[0-9a-f]{{2}}$')"
    f" && !{{0}}.contains('-{'0' * 32}-') && !{{0}}.contains('-{'0' * 16}-')"
)
"""In CEL, whose regular expressions may not be long enough for the whole."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """``rate`` requests in a second are traced, ``share`` (0 to 1) of those beyond, and every dry run.

    A request that brings a ``traceparent`` is traced as its caller samples.
    """

    rate: float = 20.0
    share: float = 0.01


def script(sampling: Sampling) -> str:
    """What the gateway's script decides by; it runs before the rest of the script."""
    return f"local TRACE_RATE = {sampling.rate}\n{SCRIPT.read_text()}"


def connection_manager(sampling: Sampling) -> Config:
    """The part of the connection manager."""
    return {
        # The share is of these ids, which nobody outside chooses.
        "generate_request_id": True,
        "request_id_extension": {
            "typed_config": {
                "@type": f"{_EXTENSIONS}.request_id.uuid.v3.UuidRequestIdConfig",
                # Else a request once marked as traced would stay so.
                "pack_trace_reason": False,
            }
        },
        "early_header_mutation_extensions": [_defer_to_callers()],
        "tracing": {
            "random_sampling": {"value": sampling.share * 100},
            # Paths and queries hold keys and phone numbers; the span's name is its route's path.
            "max_path_tag_length": 0,
            "provider": _provider(),
            "custom_tags": [
                {"tag": "correlation_id", "request_header": {"name": "x-correlation-id"}},
                {"tag": "http.request.method", "value": "%REQ(:METHOD)%"},
                {"tag": "http.response.status_code", "value": "%RESPONSE_CODE%"},
            ],
        },
    }


def virtual_host() -> Config:
    """The part of the virtual host."""
    return {"request_headers_to_remove": list(_DECIDING)}


def bootstrap() -> Config:
    """The part of the bootstrap: spans leave in batches, and no later than a service's own do."""
    flushing = {"tracing.opentelemetry.flush_interval_ms": 1000, "tracing.opentelemetry.min_flush_spans": 256}
    return {"layered_runtime": {"layers": [{"name": "tracing", "static_layer": flushing}]}}


def _defer_to_callers() -> Config:
    """Marks requests with a ``traceparent`` as forced: then the flag in it decides, as W3C has it.

    One that is malformed is dropped: Envoy would leave such a request out, and its trace would begin at the service.
    """
    given = "request.headers['traceparent']"
    mutations = [
        *({"remove": name} for name in _DECIDING),
        _copy(_FORCING, f"%CEL({_IS_TRACEPARENT.format(given)} ? {given} : '')%"),
        {"remove": "traceparent"},
        _copy("traceparent", f"%REQ({_FORCING})%"),
    ]
    return {
        "name": "envoy.http.early_header_mutation.header_mutation",
        "typed_config": {
            "@type": f"{_EXTENSIONS}.http.early_header_mutation.header_mutation.v3.HeaderMutation",
            "mutations": mutations,
        },
    }


def _copy(header: str, value: str) -> Config:
    """Adds the header, unless the value is empty."""
    return {"append": {"header": {"key": header, "value": value}, "append_action": "ADD_IF_ABSENT"}}


def _provider() -> Config:
    return {
        "name": "envoy.tracers.opentelemetry",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
            "service_name": "gateway",
            "grpc_service": {"envoy_grpc": {"cluster_name": "otlp"}, "timeout": "1s"},
            # What a collector that does not answer may cost in memory, in spans; more are dropped and counted.
            "max_cache_size": 4096,
        },
    }
