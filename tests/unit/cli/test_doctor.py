"""What doctor says of a hub's work, also when parts of the hub do not answer."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any, ClassVar

import orjson
import pytest

from libs.cli.api import Api
from libs.cli.doctor.finding import Finding
from libs.cli.doctor.work import work

HEALTHY = {"late": 0, "never_tried": 0, "tickets": 0, "conditions": []}
Answers = dict[str, Any]


class Hub(BaseHTTPRequestHandler):
    answers: ClassVar[Answers] = {}

    def do_GET(self) -> None:
        found = self.answers.get(self.path.partition("?")[0])
        body = orjson.dumps(found or {"error": "service_unavailable", "message": "delivery does not answer."})
        self.send_response(200 if found else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: the output is the command's."""


@pytest.fixture
def hub() -> Iterator[Api]:
    server = HTTPServer(("127.0.0.1", 0), Hub)
    Thread(target=server.serve_forever, daemon=True).start()
    api = Api(f"http://127.0.0.1:{server.server_port}", "key", patience_s=2)
    yield api
    api.close()
    server.shutdown()
    server.server_close()


def told(hub: Api, answers: Answers) -> dict[str, Finding]:
    Hub.answers = answers
    return {each.check: each for each in work(hub)}


def with_destination(*, paused: bool = False, reason: str = "", breaker: str = "closed", **more: Any) -> Answers:
    it = {"id": "d1", "paused": paused, "pause_reason": reason}
    found = {"destination": it, "waiting": 0, "dead_letters": 0, "health": {"breaker": breaker}, **more}
    return {
        "/admin/v1/delivery/health": HEALTHY,
        "/admin/v1/destinations": {"destinations": [it]},
        "/admin/v1/destinations/d1": found,
        "/admin/v1/sources": {"sources": []},
    }


def ago(time: timedelta) -> str:
    return (datetime.now(UTC) - time).isoformat().replace("+00:00", "Z")


def test_what_came_a_moment_ago_is_no_backlog(hub: Api) -> None:
    found = told(hub, with_destination(waiting=3, oldest_waiting_at=ago(timedelta(seconds=1))))

    assert found["destination d1"].well
    assert found["destination d1"].seen.startswith("3 waiting, the oldest since ")


def test_what_waits_for_long_is_to_be_looked_at(hub: Api) -> None:
    found = told(hub, with_destination(waiting=3, oldest_waiting_at=ago(timedelta(hours=1))))

    assert not found["destination d1"].well
    assert "contactsync destinations show d1" in found["destination d1"].remedy


def test_an_open_breaker_is_told(hub: Api) -> None:
    found = told(hub, with_destination(breaker="open"))

    assert (found["destination d1"].well, found["destination d1"].seen) == (False, "0 waiting, its breaker is open")


def test_a_destination_that_the_hub_paused_is_mended_before_it_goes_on(hub: Api) -> None:
    found = told(hub, with_destination(paused=True, reason="It answered 401 three times."))

    assert found["destination d1"].seen == "0 waiting, paused: It answered 401 three times."
    assert "contactsync destinations test d1, then contactsync destinations resume d1" in found["destination d1"].remedy


def test_a_held_run_asks_for_approval(hub: Api) -> None:
    runs = {"runs": [{"status": "RUN_STATUS_HELD"}]}
    sources = {"/admin/v1/sources": {"sources": [{"id": "s1"}]}, "/admin/v1/sources/s1/runs": runs}
    found = told(hub, with_destination() | sources)

    assert not found["source s1"].well
    assert "contactsync sources approve-deletes s1" in found["source s1"].remedy


def test_a_part_that_does_not_answer_takes_no_other_along(hub: Api) -> None:
    found = told(
        hub, {"/admin/v1/sources": {"sources": [{"id": "s1"}]}, "/admin/v1/sources/s1/runs": {"runs": [], "x": 1}}
    )

    assert {check for check, each in found.items() if not each.well} == {"deliveries", "destinations"}
    assert found["deliveries"].seen == "cannot be asked: service_unavailable (503): delivery does not answer."
    assert found["source s1"].well
