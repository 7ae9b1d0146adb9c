"""A line between a caller and a server, in our hands."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Relay:
    """Passes on what comes, to one port, until it is cut."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._writers: list[StreamWriter] = []
        self._lines: set[asyncio.Task[None]] = set()
        self.connections = 0
        self.address = ""

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Relay"]:
        server = await asyncio.start_server(self._begin, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield self
        server.close()
        self.cut()
        for line in self._lines:
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    def cut(self) -> None:
        """All connections break; new ones work."""
        writers, self._writers = self._writers, []
        for writer in writers:
            writer.transport.abort()

    def _begin(self, reader: StreamReader, writer: StreamWriter) -> None:
        self.connections += 1
        line = asyncio.get_running_loop().create_task(self._connect(reader, writer))
        self._lines.add(line)
        line.add_done_callback(self._lines.discard)
        line.add_done_callback(lambda _: writer.transport.abort())

    async def _connect(self, reader: StreamReader, writer: StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers += [writer, far_writer]
        await asyncio.gather(_pass_on(reader, far_writer), _pass_on(far_reader, writer))


async def _pass_on(reader: StreamReader, writer: StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()
