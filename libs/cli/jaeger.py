"""What a Jaeger's query API tells of traces."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from libs.cli.api import NoHub, segment

_MOST_TRACES = 20
_TIMEOUT_SECONDS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A piece of work. ``parent_id`` is empty for the first of its trace; ``error`` is empty where none was told."""

    span_id: str
    parent_id: str
    service: str
    name: str
    kind: str
    started_us: int
    duration_us: int
    error: str
    attributes: Mapping[str, Any]
    children: list["Span"] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The spans of one trace by start, and those below nothing: one alone when it is whole."""

    trace_id: str
    spans: Sequence[Span]
    roots: Sequence[Span]

    @property
    def orphans(self) -> list[Span]:
        """Spans whose parent is not there: not arrived yet, or lost."""
        return [span for span in self.roots if span.parent_id]


class Jaeger:
    """One Jaeger, by the URL of its page."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._client = httpx.Client(base_url=self.url, timeout=_TIMEOUT_SECONDS, trust_env=False)

    def services(self) -> list[str]:
        """Who has sent spans. Raises NoHub when no Jaeger answers there."""
        return sorted(self._get("/api/services") or [])

    def traces_of(self, correlation_id: str) -> list[Trace]:
        """Every trace that has spans of the correlation id, the earliest first. Raises NoHub as above."""
        tags = json.dumps({"correlation_id": correlation_id})
        found: dict[str, Trace] = {}
        for service in self.services():
            told = self._get("/api/traces", service=service, tags=tags, limit=_MOST_TRACES, lookback="custom")
            found |= {each["traceID"]: _read_trace(each) for each in told or []}
        return sorted(found.values(), key=lambda trace: trace.spans[0].started_us)

    def page_of(self, trace: Trace) -> str:
        """Where a browser sees it."""
        return f"{self.url}/trace/{segment(trace.trace_id)}"

    def _get(self, path: str, **query: Any) -> Any:
        try:
            answer = self._client.get(path, params=query)
            answer.raise_for_status()
            return answer.json()["data"]
        except httpx.TransportError:
            raise NoHub(f"no Jaeger answers at {self.url}; is it up, and is that the address of its page?") from None
        except (httpx.HTTPStatusError, ValueError, KeyError, TypeError):
            raise NoHub(f"what answers at {self.url} is no Jaeger; give the address of its page") from None


def _read_trace(told: Mapping[str, Any]) -> Trace:
    services = {key: str(each["serviceName"]) for key, each in told["processes"].items()}
    spans = sorted((_read_span(each, services) for each in told["spans"]), key=lambda span: span.started_us)
    by_id = {span.span_id: span for span in spans}
    for span in spans:
        if parent := by_id.get(span.parent_id):
            parent.children.append(span)
    roots = [span for span in spans if span.parent_id not in by_id]
    return Trace(trace_id=str(told["traceID"]), spans=spans, roots=roots)


def _read_span(told: Mapping[str, Any], services: Mapping[str, str]) -> Span:
    attributes = {each["key"]: each["value"] for each in told.get("tags") or []}
    return Span(
        span_id=str(told["spanID"]),
        parent_id=next(_parents(told), ""),
        service=services[told["processID"]],
        name=str(told["operationName"]),
        kind=str(attributes.get("span.kind", "internal")),
        started_us=int(told["startTime"]),
        duration_us=int(told["duration"]),
        error=_error(attributes),
        attributes=attributes,
    )


def _parents(told: Mapping[str, Any]) -> Iterator[str]:
    """The parent comes first; what is linked to comes as other references, some of them in the same trace."""
    for each in told.get("references") or []:
        if each["refType"] == "CHILD_OF" and each["traceID"] == told["traceID"]:
            yield str(each["spanID"])


def _error(attributes: Mapping[str, Any]) -> str:
    if not (attributes.get("error") or "error.type" in attributes):
        return ""
    return str(attributes.get("error.type") or attributes.get("otel.status_description") or "error")
