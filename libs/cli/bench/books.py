"""A hub whose contact book holds so many contacts, and the contacts that it holds."""

import asyncio
import json
import math
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import aiohttp
from contactsync.directory.v1.directory_service_pb2 import ApplyItem, ApplyManyRequest
from contactsync.directory.v1.directory_service_pb2_grpc import DirectoryServiceStub

from libs.cli.api import connect
from libs.cli.bench.measure import ProcessTree, settled
from libs.cli.stack.hub import Hub, running_hub
from libs.process import read_key_file
from libs.rpc import Identity, Peer

COMMON, RARE = "Анна", "Кржижановский"
RARELY: Final = 20
"""How many contacts of a book have the rare name, however large it is."""
STATUSES: Final = ("New", "Contacted", "Interested")
FIRST_NAMES: Final = (COMMON, "Иван", "Пётр", "John", "Jane", "Mary", "Olga", "Max", "Lee", "Kim")
_CHUNK: Final = 1000
_AT_ONCE: Final = 3
_PATIENCE: Final = timedelta(minutes=1)
_MARGIN_SECONDS: Final = 0.1
LATEST: Final = 100
"""Contacts that came after `Book.since`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """A running hub, how its book was filled, and its callers: each has the headers that open one API."""

    hub: Hub
    contacts: int
    since: int
    fill_seconds: float
    letters_seconds: float
    session: aiohttp.ClientSession
    telecrm: dict[str, str]
    connect: dict[str, str]
    source: dict[str, str]
    importing: dict[str, str]

    def disk_mb(self) -> int:
        """The size of the book's database."""
        folder = self.hub.plan.folder.root / "db"
        return sum(file.stat().st_size for file in folder.glob("directory.sqlite3*")) // 1024**2

    def memory_mb(self) -> int:
        """Resident memory of the process that keeps the book."""
        return _directory(self.hub).memory_mb()


def _directory(hub: Hub) -> ProcessTree:
    return ProcessTree(int(hub.supervisor.processes()["directory"]["pid"]))


@asynccontextmanager
async def running_book(contacts: int) -> AsyncIterator[Book]:
    """A hub on a temporary folder of its own, filled, with nothing left to do in the background."""
    hubs = _running_hub()
    hub = await asyncio.to_thread(hubs.__enter__)
    try:
        async with aiohttp.ClientSession(hub.url) as session:
            yield await _filled(hub, contacts, session)
    finally:
        await asyncio.to_thread(hubs.__exit__, None, None, None)


@contextmanager
def _running_hub() -> Iterator[Hub]:
    with (
        tempfile.TemporaryDirectory(prefix="contactsync-bench-") as folder,
        running_hub(Path(folder) / "data", port=0) as hub,
    ):
        yield hub


async def _filled(hub: Hub, contacts: int, session: aiohttp.ClientSession) -> Book:
    began = time.monotonic()
    await _fill(hub, range(contacts - LATEST), contacts)
    filled = time.monotonic()
    await settled(_directory(hub))
    lettered = time.monotonic()
    since = await _next_second()
    await _fill(hub, range(contacts - LATEST, contacts), contacts)
    await settled(_directory(hub))
    return Book(
        hub=hub,
        contacts=contacts,
        since=since,
        fill_seconds=round(filled - began, 1),
        letters_seconds=round(lettered - filled, 1),
        session=session,
        **await _opened(hub, session),
    )


async def _next_second() -> int:
    """Waits for it: whatever is written from now on changed at it or later, and all before it earlier."""
    now = time.time()
    second = math.floor(now) + 1
    await asyncio.sleep(second - now + _MARGIN_SECONDS)
    return second


async def _fill(hub: Hub, numbers: range, contacts: int) -> None:
    """Applies them as delivery would, in as large deliveries as there are."""
    key = read_key_file("service.key", hub.plan.folder.key("service"))
    peer = Peer(hub.plan.address("directory"), identity=Identity("delivery", key))
    stub, chunks = (
        DirectoryServiceStub(peer.channel),
        iter([numbers[at : at + _CHUNK] for at in range(0, len(numbers), _CHUNK)]),
    )

    async def apply() -> None:
        for chunk in chunks:
            item = ApplyItem(delivery_id=f"bench-{chunk[0]}", client_id="bench", contacts_json=_chunk(chunk, contacts))
            answer = await peer.call(stub.ApplyMany, ApplyManyRequest(items=[item]), timeout=_PATIENCE)
            if answer.results[0].failures or len(answer.results[0].row_states) != len(chunk):
                raise RuntimeError(f"the book did not take all contacts: {answer.results[0].failures[:1]}")

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(apply())
    finally:
        await peer.close()


def _chunk(numbers: Sequence[int], contacts: int) -> bytes:
    return json.dumps([contact_of(number, contacts) for number in numbers], ensure_ascii=False).encode()


def contact_of(number: int, contacts: int) -> dict[str, Any]:
    """A contact as it is delivered. What is asked for rarely lies at even distances all over the book."""
    rare = number % max(contacts // RARELY, 1) == 0
    fields = {
        "first_name": FIRST_NAMES[number % len(FIRST_NAMES)],
        "last_name": RARE if rare else f"Иванов{number * 7919 % 100_000}",
        "email": email_of(number),
        "status": STATUSES[number // len(FIRST_NAMES) % len(STATUSES)],
        "city": "Москва",
    }
    return {"phone": f"+{phone_of(number)}", "tags": ["лид"], "additionalFields": fields}


def email_of(number: int) -> str:
    """The e-mail of the contact alone, and no part of another's."""
    return f"victor.{number:08d}@example.org"


def phone_of(number: int) -> str:
    """The phone as telecrm writes it."""
    return f"79{number:09d}"


async def _opened(hub: Hub, session: aiohttp.ClientSession) -> dict[str, dict[str, str]]:
    """What the headers of each API are."""
    admin = connect(hub.plan.folder.root, "", "", role="admin")
    space = "/admin/v1/workspaces/default"
    try:
        token = admin.call("POST", f"{space}/tokens", body={"type": "CREDENTIAL_TYPE_SYNC"})["token"]
        key = admin.call("POST", f"{space}/connect-keys", body={})["api_key"]
        access = admin.call("POST", f"{space}/source-accesses", body={})
        settings = {"rate": 10000}
        client = admin.call("POST", "/admin/v1/clients", body={"name": "bench", "settings": settings})
    finally:
        admin.close()
    login = aiohttp.BasicAuth(access["client_id"], access["client_secret"])
    async with session.get("/contact-source/token", auth=login) as answer:
        source = (await answer.json())["token"]
    return {
        "telecrm": _bearer(token),
        "connect": {"X-Api-Key": key},
        "source": _bearer(source),
        "importing": _bearer(client["api_key"]),
    }


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
