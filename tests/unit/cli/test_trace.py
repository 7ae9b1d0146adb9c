"""What `contactsync trace` makes of Jaeger's answers, and says where there are none."""

from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from gateway.tracing import Sampling
from libs.cli.api import NoHub
from libs.cli.jaeger import Jaeger
from libs.cli.main import app
from libs.cli.stack.traces import JAEGER_PORTS, choose_tracing, render_jaeger_config


def span(span_id: str, parent: str, service: str, **tags: Any) -> dict[str, Any]:
    references = [{"refType": "CHILD_OF", "traceID": "t", "spanID": parent}] if parent else []
    return {
        "traceID": "t",
        "spanID": span_id,
        "operationName": f"work {span_id}",
        "references": [{"refType": "FOLLOWS_FROM", "traceID": "other", "spanID": "x"}, *references],
        "startTime": 1_000_000 + int(span_id, 16),
        "duration": 1500,
        "processID": service,
        "tags": [{"key": name.replace("__", "."), "value": value} for name, value in tags.items()],
    }


TRACE = {
    "traceID": "t",
    "processes": {"p1": {"serviceName": "gateway"}, "p2": {"serviceName": "delivery"}},
    "spans": [
        span("3", "9", "p2", job_id="[bold]j"),
        span("2", "1", "p2", error__type="503", chunk_id="j.0"),
        span("1", "", "p1"),
    ],
}


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = ["gateway", "delivery"] if self.path == "/api/services" else [TRACE]
        body = orjson.dumps({"data": found})
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def jaeger_url() -> Any:
    with HTTPServer(("127.0.0.1", 0), _Answers) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_spans_stand_under_their_parents_and_orphans_are_told(jaeger_url: str) -> None:
    (trace,) = Jaeger(jaeger_url).traces_of("c")

    assert [root.span_id for root in trace.roots] == ["1", "3"]
    assert [child.span_id for child in trace.roots[0].children] == ["2"]
    assert [orphan.span_id for orphan in trace.orphans] == ["3"]
    assert [(each.service, each.error) for each in trace.spans] == [
        ("gateway", ""),
        ("delivery", "503"),
        ("delivery", ""),
    ]


def test_the_tree_is_printed_with_ids_and_reasons(jaeger_url: str) -> None:
    finished = CliRunner().invoke(app, ["trace", "c", "--jaeger-url", jaeger_url])

    assert finished.exit_code == 0, finished.output
    lines = finished.output.splitlines()
    assert "1 without their parent" in lines[0]
    assert lines[1] == f"{jaeger_url}/trace/t"
    assert lines[2:] == [
        "├── gateway work 1 1.5 ms at 0.0",
        "│   └── delivery work 2 1.5 ms at 0.0 503 chunk_id=j.0",
        "└── delivery work 3 1.5 ms at 0.0 job_id=[bold]j",
    ]


def test_a_hub_without_jaeger_is_told_how_to_have_one(tmp_path: Path) -> None:
    finished = CliRunner().invoke(app, ["trace", "c", "--data", str(tmp_path)])

    assert isinstance(finished.exception, NoHub)
    assert "--jaeger-url" in str(finished.exception)


def test_nobody_there_is_told() -> None:
    with pytest.raises(NoHub, match=r"no Jaeger answers at http://127\.0\.0\.1:1;"):
        Jaeger("http://127.0.0.1:1/").services()


def test_a_collector_that_is_named_needs_no_jaeger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "jaeger"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    def choose(otlp: str = "", *, jaeger: bool = True) -> tuple[str, str]:
        found = choose_tracing(otlp=otlp, jaeger_url="", jaeger=jaeger, sampling=Sampling())
        return found.endpoint, found.jaeger

    assert choose() == ("", str(program))
    assert choose(jaeger=False) == ("", "")
    assert choose("http://collector:4317") == ("http://collector:4317", "")


def test_jaeger_listens_where_it_is_told_alone() -> None:
    rendered = render_jaeger_config(lambda name: f"127.0.0.1:{20000 + JAEGER_PORTS.index(name)}")

    assert all(f"endpoint: 127.0.0.1:{20000 + place}" in rendered for place in range(len(JAEGER_PORTS)))
    assert rendered.count("endpoint") == len(JAEGER_PORTS)
