"""``contactsync trace``: a request from the gateway to its destinations, as Jaeger has it."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer
from rich.markup import escape

from libs.cli.api import DEFAULT_DATA, NoHub
from libs.cli.jaeger import Jaeger, Span, Trace
from libs.cli.options import JAEGER_VARIABLE, Data, Json
from libs.cli.output import out, print_json
from libs.cli.stack.folder import DataFolder

_IDS = ("job_id", "chunk_id", "destination_id", "source_id", "run_id")


def trace(
    correlation_id: Annotated[str, typer.Argument(help="As the import's answer and every log line have it.")],
    *,
    data: Data = None,
    jaeger_url: Annotated[
        str, typer.Option(envvar=JAEGER_VARIABLE, help="Where Jaeger's page is; by default the running hub's.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Print the trace of a correlation id as a tree: who did what, for how long, and what failed and why."""
    jaeger = Jaeger(jaeger_url or _url_of_hub(data))
    traces = jaeger.traces_of(correlation_id)
    if not traces:
        raise NoHub(_none(correlation_id, jaeger))
    if as_json:
        print_json({"correlation_id": correlation_id, "traces": [_plain(each, jaeger) for each in traces]})
    else:
        for each in traces:
            _print(each, jaeger)


def _url_of_hub(data: Any) -> str:
    folder = DataFolder((data or DEFAULT_DATA).resolve())
    if url := folder.read_run_facts().get("jaeger_url", ""):
        return str(url)
    raise NoHub(
        f"no Jaeger is known of the hub on {folder.root}: give --jaeger-url http://host:16686, or start the hub with "
        "a jaeger on PATH, or with --otlp and --jaeger-url"
    )


def _none(correlation_id: str, jaeger: Jaeger) -> str:
    return (
        f"{jaeger.url} has no trace of {correlation_id}. It may come within seconds; else it was not sampled (up "
        "--trace-rate, --trace-share) or is older than what Jaeger keeps. The logs have every correlation id."
    )


def _plain(trace: Trace, jaeger: Jaeger) -> dict[str, Any]:
    return {
        "trace_id": trace.trace_id,
        "url": jaeger.page_of(trace),
        "duration_ms": _lasted_us(trace.spans) / 1000,
        "services": sorted({span.service for span in trace.spans}),
        "spans": len(trace.spans),
        "orphans": len(trace.orphans),
        "tree": [_plain_span(root, trace.spans[0].started_us) for root in trace.roots],
    }


def _plain_span(span: Span, began_us: int) -> dict[str, Any]:
    return {
        "span_id": span.span_id,
        "service": span.service,
        "name": span.name,
        "kind": span.kind,
        "started_ms": (span.started_us - began_us) / 1000,
        "duration_ms": span.duration_us / 1000,
        "error": span.error,
        "attributes": dict(span.attributes),
        "children": [_plain_span(child, began_us) for child in span.children],
    }


def _lasted_us(spans: Sequence[Span]) -> int:
    return max(span.started_us + span.duration_us for span in spans) - min(span.started_us for span in spans)


def _print(trace: Trace, jaeger: Jaeger) -> None:
    told = f"{len(trace.spans)} spans, {_lasted_us(trace.spans) / 1000:.1f} ms"
    if trace.orphans:
        told += f", {len(trace.orphans)} without their parent: it is the caller's own, comes yet, or was lost"
    lines = [f"[bold]{trace.trace_id}[/bold]  {told}", escape(jaeger.page_of(trace)), *_drawn(trace.roots, trace)]
    for line in lines:
        out.print(line, soft_wrap=True, highlight=False)


def _drawn(spans: Sequence[Span], trace: Trace, indent: str = "") -> Iterator[str]:
    for span in spans:
        is_last = span is spans[-1]
        yield f"{indent}{'└── ' if is_last else '├── '}{' '.join(_words(span, trace.spans[0].started_us))}"
        yield from _drawn(span.children, trace, indent + ("    " if is_last else "│   "))


def _words(span: Span, began_us: int) -> Iterator[str]:
    yield f"[cyan]{escape(span.service)}[/cyan] {escape(span.name)}"
    yield f"{span.duration_us / 1000:.1f} ms [dim]at {(span.started_us - began_us) / 1000:.1f}[/dim]"
    if span.error:
        yield f"[red]{escape(span.error)}[/red]"
    for name in _IDS:
        if value := span.attributes.get(name):
            yield f"[dim]{name}={escape(str(value))}[/dim]"
