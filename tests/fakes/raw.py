"""A server that says what it is told byte by byte, so that it can also be what no HTTP server is."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from tests.fakes.telecrm import FIELDS

Script = Callable[[asyncio.StreamWriter], Awaitable[None]]


def say(status: int, *headers: str, body: bytes = b"") -> Script:
    """Answer this and keep the line."""

    async def script(writer: asyncio.StreamWriter) -> None:
        head = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", *headers]
        writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        await writer.drain()

    return script


def pour(head: bytes, block: bytes, *, times: int) -> Script:
    """Say the head, then the block again and again, as long as somebody listens; then cut the line."""

    async def script(writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        for _ in range(times):
            writer.write(block)
            await writer.drain()
        writer.transport.abort()

    return script


async def cut(writer: asyncio.StreamWriter) -> None:
    """Take what came, and cut the line."""
    writer.transport.abort()


async def hang(writer: asyncio.StreamWriter) -> None:
    """Answer nothing."""
    await asyncio.Event().wait()


class RawServer:
    """`async with` it. A workspace's fields are told, and a search finds nothing; all else is answered by `script`."""

    def __init__(self, *, host: str = "127.0.0.1") -> None:
        self.script: Script = say(200)
        self.connections = 0
        self.asked = 0
        """Questions that the script answered."""
        self.url = ""
        self.port = 0
        self._host = host
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._begin, self._host, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://{self._host}:{self.port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for line in self._lines:
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        line = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._lines.add(line)
        line.add_done_callback(self._lines.discard)
        line.add_done_callback(lambda _: writer.transport.abort())  # one that ends before it began, too

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            try:
                while not writer.is_closing():
                    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                    await reader.readexactly(_length(head))
                    await self._answer(head.split(" ", 2), writer)
            finally:
                writer.transport.abort()
                with contextlib.suppress(ConnectionError):
                    await writer.wait_closed()

    async def _answer(self, asked: list[str], writer: asyncio.StreamWriter) -> None:
        method, path, _ = asked
        if path.endswith("/custom-fields"):
            await say(200, body=json.dumps({"customFields": FIELDS}).encode())(writer)
        elif method == "GET":
            await say(200, body=b"[]")(writer)
        else:
            self.asked += 1
            await self.script(writer)


def _length(head: str) -> int:
    names = (line.partition(":") for line in head.split("\r\n"))
    return next((int(value) for name, _, value in names if name.lower() == "content-length"), 0)
