"""A system outside that refuses everything and says back whatever it was sent, as error pages in the wild do."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class _Handler(BaseHTTPRequestHandler):
    status = 400
    heard: list[bytes]

    def log_message(self, *_: Any) -> None:
        """Says nothing."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        said = f"{self.requestline}\n{self.headers}".encode() + body
        self.heard.append(said)
        self.send_response(self.status, "refused")
        self.send_header("content-length", str(len(said)))
        self.send_header("x-said", self.requestline)
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - the library asks for these names


@contextmanager
def parrot(status: int) -> Iterator[tuple[str, list[bytes]]]:
    """Where it listens, and what it has heard so far."""
    heard: list[bytes] = []
    handler = type("Handler", (_Handler,), {"status": status, "heard": heard})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
