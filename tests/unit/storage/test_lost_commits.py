"""The line is cut when COMMIT is on its way: PostgreSQL itself is asked what became of the transaction."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from libs.storage import CommitUnknownError, Database, StorageUnavailableError, Transaction
from libs.storage.postgresql import commit
from tests.fixtures.databases import Databases
from tests.fixtures.things import COUNT, MIGRATIONS, PUT, putting

_COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"


class Line:
    """A line to PostgreSQL that breaks at COMMITs: before the server has it, or when its answer comes."""

    def __init__(self, socket: str) -> None:
        self.cuts = ""
        self.refuses = False
        self._socket = socket
        self._cut = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuses and self._cut:
            writer.close()
            return
        back, forth = await asyncio.open_unix_connection(self._socket)
        tasks = [asyncio.create_task(self._carry(reader, forth)), asyncio.create_task(self._answer(back, writer))]
        self._tasks.update(tasks)
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for stream in (writer, forth):
            stream.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if self.cuts and data.endswith(_COMMIT):
                self._cut = True
                if self.cuts == "before":
                    return
            writer.write(data)
            await writer.drain()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if self._cut and self.cuts:
                self.cuts = ""
                return
            writer.write(data)
            with contextlib.suppress(ConnectionError):
                await writer.drain()

    async def hang_up(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@pytest.fixture
async def line(databases: Databases) -> AsyncIterator[tuple[Line, Database]]:
    parts = urlsplit(databases.url("postgresql"))
    query = dict(parse_qsl(parts.query))
    line = Line(f"{query.pop('host')}/.s.PGSQL.5432")
    server = await asyncio.start_server(line.meet, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    url = f"postgresql://postgres@127.0.0.1:{port}{parts.path}?{urlencode({**query, 'sslmode': 'disable'})}"
    yield line, await databases.reopen(url, MIGRATIONS)
    server.close()
    await line.hang_up()


async def test_a_commit_whose_answer_was_lost_counts_as_done(line: tuple[Line, Database]) -> None:
    cut, database = line
    cut.cuts = "after"

    assert await database.write(putting("thing")) == "thing"

    assert await database.fetch_one(COUNT) == (1,)


async def test_a_commit_that_never_arrived_is_told_as_undone(line: tuple[Line, Database]) -> None:
    cut, database = line
    cut.cuts = "before"

    with pytest.raises(StorageUnavailableError):
        await database.write(putting("thing"))

    assert await database.fetch_one(COUNT) == (0,)


async def test_an_outcome_that_cannot_be_asked_for_in_time_stays_unknown(
    line: tuple[Line, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    cut, database = line
    monkeypatch.setattr(commit, "_PATIENCE_SECONDS", 0.3)
    cut.cuts, cut.refuses = "after", True

    with pytest.raises(CommitUnknownError):
        await database.write(putting("thing"))

    cut.refuses = False
    assert await database.fetch_one(COUNT) == (1,)


async def test_a_unit_that_goes_on_after_a_failed_statement_is_not_told_as_done(line: tuple[Line, Database]) -> None:
    _, database = line
    await database.write(putting("taken"))

    async def unit(transaction: Transaction) -> None:
        with contextlib.suppress(Exception):
            await transaction.execute(PUT, ("taken", 1, None))

    with pytest.raises(StorageUnavailableError):
        await database.write(unit)
