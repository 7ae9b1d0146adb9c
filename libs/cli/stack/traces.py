"""Where a hub's traces go: a collector that is there, or a Jaeger of the hub's own."""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field

import yaml

from gateway.tracing import Sampling
from libs.cli.stack.errors import CannotStart

JAEGER_PORTS = ("jaeger", "jaeger_grpc", "jaeger_otlp")
"""Of the page and query API, of the query API over gRPC, and of what takes spans."""
_MOST_TRACES = 10_000
_ADDRESS = re.compile(r"http://[^/@\s]+:\d+/?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracing:
    """``endpoint`` takes spans over OTLP gRPC, ``http://host:4317``; empty: the hub's own Jaeger, or nobody.

    ``jaeger`` is the Jaeger 2 program that the hub runs; empty: none. ``jaeger_url`` is where an operator's browser
    finds a Jaeger that is not the hub's own.
    """

    endpoint: str = ""
    jaeger: str = ""
    jaeger_url: str = ""
    sampling: Sampling = field(default_factory=Sampling)

    def port_names(self) -> tuple[str, ...]:
        """The ports that the hub needs for it."""
        return JAEGER_PORTS if self.jaeger else ()


def choose_tracing(*, otlp: str, jaeger_url: str, jaeger: bool, sampling: Sampling) -> Tracing:
    """The collector that is named; else a Jaeger of the hub's own, if it is wanted and its program is on PATH.

    Raises CannotStart for a collector's address that is none.
    """
    if otlp and not _ADDRESS.fullmatch(otlp):
        raise CannotStart(f"{otlp} is no collector's address", remedy="Write --otlp http://host:4317.")
    program = "" if otlp or not jaeger else shutil.which("jaeger") or ""
    return Tracing(endpoint=otlp, jaeger=program, jaeger_url=jaeger_url.rstrip("/"), sampling=sampling)


def render_jaeger_config(address: Callable[[str], str]) -> str:
    """Jaeger's configuration; ``address`` gives ``host:port`` for each of ``JAEGER_PORTS``.

    It keeps the latest traces in memory, and no file.
    """
    config = {
        "service": {
            "extensions": ["jaeger_storage", "jaeger_query"],
            "pipelines": {
                "traces": {"receivers": ["otlp"], "processors": ["batch"], "exporters": ["jaeger_storage_exporter"]}
            },
            "telemetry": {"metrics": {"level": "none"}, "logs": {"level": "warn"}},
        },
        "extensions": {
            "jaeger_query": {
                "storage": {"traces": "memory"},
                "http": {"endpoint": address("jaeger")},
                "grpc": {"endpoint": address("jaeger_grpc")},
            },
            "jaeger_storage": {"backends": {"memory": {"memory": {"max_traces": _MOST_TRACES}}}},
        },
        "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": address("jaeger_otlp")}}}},
        "processors": {"batch": None},
        "exporters": {"jaeger_storage_exporter": {"trace_storage": "memory"}},
    }
    return yaml.safe_dump(config, sort_keys=False)
