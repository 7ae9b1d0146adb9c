"""A webhook receiver in a thread of its own, for tests that do not run on a loop: it refuses what it is told to."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import override


@dataclass
class PickyReceiver:
    """Answers `status` to every delivery that holds one of `poison`, and takes all others. Status 0 cuts the line."""

    url: str = ""
    status: int = 422
    answer: bytes = b'{"error": "bad contact"}'
    poison: set[str] = field(default_factory=set)
    taken: list[str] = field(default_factory=list)
    """Phones, in the order in which they were taken."""
    requests: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    """Headers, names in small letters, and body of everything that came."""

    def judge(self, headers: dict[str, str], body: dict[str, Any]) -> tuple[int, bytes]:
        """Take it, or not."""
        self.requests.append((headers, body))
        phones = [contact["phone"] for contact in body["contacts"]]
        if self.poison.intersection(phones):
            return self.status, self.answer
        self.taken.extend(phones)
        return 200, b'{"ok": true}'


@contextmanager
def picky_receiver() -> Iterator[PickyReceiver]:
    """A receiver that listens on loopback while the block runs."""
    receiver = PickyReceiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, answer = receiver.judge(headers, json.loads(body))
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        @override
        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
