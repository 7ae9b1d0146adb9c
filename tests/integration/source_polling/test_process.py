"""`python -m services.source_polling.main` as an operator runs it, over a real source and into a real ingestion."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.source_polling.domain.run import Run, RunStatus
from services.source_polling.domain.source import Source, SourceId
from services.source_polling.store.runs import SqlRuns
from services.source_polling.store.sources import MIGRATIONS, SqlSources
from services.source_polling.vault import Vault
from tests.fakes.contact_source import Book, ContactSourceFake, make_contact
from tests.fixtures.databases import Databases, OpenFresh
from tests.fixtures.waiting import PATIENCE_SECONDS
from tests.integration.ingestion.hub import SERVICE_KEY, running
from tests.integration.source_polling.reading import source

CONTACTS = 40
PAGES = 4
MASTER_KEY = bytes(range(32))
Process = asyncio.subprocess.Process


@dataclass
class Place:
    """Where the process runs, and what it finds there."""

    folder: Path
    ingestion: str
    url: str
    databases: Databases

    async def put(self, sources: Sequence[Source]) -> None:
        """Straight into the database, before the process starts: all due."""
        database = await self.databases.reopen(self.url, MIGRATIONS)
        for each in sources:
            await SqlSources(database, cipher=Vault(MASTER_KEY)).put(each)
        await database.close()

    async def start(self, **changes: str) -> Process:
        environment = {
            "LISTEN": "127.0.0.1:0",
            "DATABASE_URL": self.url,
            "SERVICE_KEY_FILE": str(self.folder / "service.key"),
            "MASTER_KEY_FILE": str(self.folder / "master.key"),
            "INGESTION_ADDRESS": self.ingestion,
            "EGRESS_ALLOW": "127.0.0.0/8",
            **{name.upper(): value for name, value in changes.items()},
        }
        own = {f"CONTACTSYNC_{name}": value for name, value in environment.items()}
        command = (sys.executable, "-m", "services.source_polling.main")
        return await asyncio.create_subprocess_exec(*command, env={**os.environ, **own}, stderr=asyncio.subprocess.PIPE)

    async def runs(self, sources: Sequence[Source]) -> list[Run]:
        """Every run of the sources."""
        database = await self.databases.reopen(self.url, MIGRATIONS)
        store = SqlRuns(database)
        found = [run for each in sources for run in await store.newest(each.source_id, limit=9, before=None)]
        await database.close()
        return found


def due(fake: ContactSourceFake, *, count: int) -> list[Source]:
    """Sources whose time has come."""
    now = datetime.now(UTC)
    plain = source(fake.url, page_size=10)
    made = [replace(plain, source_id=SourceId(f"src_{number}"), created_at=now) for number in range(count)]
    return [replace(each, next_run_at=now - timedelta(hours=9)) for each in made]


@asynccontextmanager
async def placed(folder: Path, databases: Databases, open_fresh: OpenFresh, kind: str) -> AsyncIterator[Place]:
    (folder / "master.key").write_text(MASTER_KEY.hex())
    async with running(open_fresh, folder) as hub:
        assert (folder / "service.key").read_text() == SERVICE_KEY.hex()
        yield Place(folder, hub.address, databases.url(kind), databases)


@pytest.fixture
async def place(tmp_path: Path, databases: Databases, open_fresh: OpenFresh) -> AsyncIterator[Place]:
    async with placed(tmp_path, databases, open_fresh, "sqlite") as place:
        yield place


@pytest.fixture
async def fake() -> AsyncIterator[ContactSourceFake]:
    async with ContactSourceFake(Book(map(make_contact, range(1, CONTACTS + 1)))) as fake:
        yield fake


async def asked(fake: ContactSourceFake, *, pages: int) -> None:
    """Return when so many pages were asked for."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(fake.asked) < pages:  # noqa: ASYNC110 - the fake has no event for this
            await asyncio.sleep(0.02)


async def read_whole(place: Place, sources: Sequence[Source]) -> None:
    """Return when the first run of each source has read its last page."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while sum(run.tally.pages >= PAGES for run in await place.runs(sources)) < len(sources):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.1)


async def stop(process: Process) -> str:
    process.send_signal(signal.SIGTERM)
    _, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return errors.decode()


async def test_it_runs_what_is_due_once_for_all_missed_ticks_and_stops_when_told(
    place: Place, fake: ContactSourceFake
) -> None:
    [only] = sources = due(fake, count=1)
    await place.put(sources)

    process = await place.start()
    await asked(fake, pages=4)
    await stop(process)

    [run] = await place.runs([only])
    assert (run.full, run.source_id) == (True, only.source_id)
    assert run.status in {RunStatus.COMPLETED, RunStatus.RUNNING}


async def test_replicas_never_run_one_source_together(
    tmp_path: Path, databases: Databases, open_fresh: OpenFresh, fake: ContactSourceFake
) -> None:
    async with placed(tmp_path, databases, open_fresh, "postgresql") as place:
        sources = due(fake, count=8)
        await place.put(sources)
        replicas = [await place.start() for _ in range(2)]
        await read_whole(place, sources)
        for replica in replicas:
            await stop(replica)

        runs = await place.runs(sources)

    assert len(runs) == 8
    assert {run.number for run in runs} == {1}
    # Not how often pages were asked for: a run that waits for a busy hub asks again for the page that it had ahead.
    assert all(run.tally.pages <= 4 and run.tally.seen <= CONTACTS for run in runs)


async def test_another_master_key_is_refused_at_start(place: Place, fake: ContactSourceFake) -> None:
    await place.put(due(fake, count=1))
    (place.folder / "master.key").write_text((b"o" * 32).hex())

    process = await place.start()
    _, errors = await process.communicate()

    assert process.returncode == os.EX_CONFIG
    assert "another key than the secrets of src_0" in errors.decode().splitlines()[-1]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"database_url": ""}, "CONTACTSYNC_DATABASE_URL"),
        ({"egress_allow": "10.0.0.1/8"}, "CONTACTSYNC_EGRESS_ALLOW"),
        ({"master_key_file": "/nowhere/master.key"}, "/nowhere/master.key"),
    ],
)
async def test_what_keeps_it_from_starting_is_told_in_one_line(
    tmp_path: Path, databases: Databases, changes: dict[str, str], told: str
) -> None:
    (tmp_path / "service.key").write_text(SERVICE_KEY.hex())
    (tmp_path / "master.key").write_text(MASTER_KEY.hex())
    process = await Place(tmp_path, "127.0.0.1:1", databases.url("sqlite"), databases).start(**changes)
    _, errors = await process.communicate()

    assert process.returncode == os.EX_CONFIG
    [line] = errors.decode().splitlines()
    assert line.startswith("source_polling cannot start: ")
    assert told in line
