"""The endpoint that Prometheus asks: `GET /metrics`, nothing else, one question per connection.

By hand, because a process that nobody asks should not hold a web server: with it goes what renders the answer.
"""

import asyncio
from typing import TYPE_CHECKING

from libs.telemetry.metrics.gathering import Gathered

if TYPE_CHECKING:
    from libs.telemetry.metrics.prometheus import Page

_HEAD_LIMIT = 16 * 1024
_PATIENCE_SECONDS = 10.0
_CONNECTIONS = 16


class Listener:
    """Listens where it is told to; the operator sees to it that only they reach it."""

    def __init__(self, gathered: Gathered) -> None:
        self.port = 0
        """Once open."""
        self._gathered = gathered
        self._page: Page | None = None
        self._rendering = asyncio.Lock()
        self._answering: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self, listen: str) -> None:
        """Listen at host:port; port 0 takes a free one. Raises OSError when it is taken."""
        host, _, port = listen.rpartition(":")
        self._server = await asyncio.start_server(self._begin, host.strip("[]"), int(port), limit=_HEAD_LIMIT)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening, and cut off who still asks."""
        if self._server is not None:
            self._server.close()
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._answering) >= _CONNECTIONS:
            writer.transport.abort()
            return
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                writer.write(await self._answer(await reader.readuntil(b"\r\n\r\n")))
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever asked went away, or never asked
        finally:
            writer.close()

    async def _answer(self, head: bytes) -> bytes:
        question, *headers = head.decode("latin-1").split("\r\n")
        if not question.startswith("GET /metrics") or question[12:13] not in {" ", "?"}:
            return _response("404 Not Found", b"The numbers are at /metrics.\n", "text/plain; charset=utf-8")
        named = (header.partition(":") for header in headers)
        accept = next((value.strip() for name, _, value in named if name.lower() == "accept"), "")
        async with self._rendering:
            await self._gathered.look()
            body, content_type = await asyncio.to_thread(self._render, accept)
        return _response("200 OK", body, content_type)

    def _render(self, accept: str) -> tuple[bytes, str]:
        if self._page is None:
            from libs.telemetry.metrics.prometheus import Page  # noqa: PLC0415 - some 10 MB that few processes need

            self._page = Page(self._gathered)
        return self._page.render(accept)


def _response(status: str, body: bytes, content_type: str) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode("latin-1") + body
