"""The limit that `contactsync bench import` is measured against: what one throwaway process can do.

`python -m tests.bench.limit --port P --data DIR --sink URL`. It keeps the same promise (job, chunk and stored answer
are on disk before the 202) with raw HTTP on asyncio, the hub's own phone parser, one SQLite thread with group commit
and aiohttp outward. No door, no retries, no reads, no validation beyond the shape: nobody should run this.
"""

import argparse
import asyncio
import hashlib
import queue
import sqlite3
import threading
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import aiohttp
import msgspec
import orjson
import uvloop

from services.normalization.domain import Phone
from services.normalization.phones.compiled import CompiledPhones
from services.normalization.phones.library import LibraryPhones

CHUNK = 1000
AT_ONCE = 16
TABLES = """
CREATE TABLE IF NOT EXISTS keys (key TEXT PRIMARY KEY, fingerprint BLOB, body BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS jobs (job_id TEXT PRIMARY KEY, total INTEGER, created_at TEXT, rejected BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS chunks (id TEXT PRIMARY KEY, body BLOB, states BLOB, sent_at TEXT) WITHOUT ROWID;
"""
PUT_KEY = "INSERT INTO keys VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
PUT_JOB = "INSERT INTO jobs VALUES (?, ?, ?, ?)"
PUT_CHUNK = "INSERT INTO chunks VALUES (?, ?, NULL, NULL)"
KEEP_OUTCOME = "UPDATE chunks SET states = ?, sent_at = ? WHERE id = ?"

Statement = tuple[str, tuple[Any, ...]]


class Contact(msgspec.Struct, gc=False):
    phone: str
    tags: msgspec.Raw = msgspec.Raw(b"[]")
    additionalFields: msgspec.Raw = msgspec.Raw(b"{}")  # noqa: N815 - the name in the contract


_contacts = msgspec.json.Decoder(list[Contact])
_encode = msgspec.json.Encoder().encode


class Disk:
    """One thread that commits together whatever queued while its last commit ran."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.executescript(TABLES)
        self._queue: queue.SimpleQueue[tuple[Sequence[Statement], asyncio.Future[None]]] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._run, daemon=True).start()

    async def write(self, statements: Sequence[Statement]) -> None:
        future: asyncio.Future[None] = self._loop.create_future()
        self._queue.put((statements, future))
        await future

    def _run(self) -> None:
        while True:
            group = [self._queue.get()]
            while not self._queue.empty():
                group.append(self._queue.get())
            self._connection.execute("BEGIN IMMEDIATE")
            for statements, _ in group:
                for statement, row in statements:
                    self._connection.execute(statement, row)
            self._connection.execute("COMMIT")
            self._loop.call_soon_threadsafe(_resolve, [future for _, future in group])


def _resolve(futures: Sequence[asyncio.Future[None]]) -> None:
    for future in futures:
        future.set_result(None)


class Limit:
    def __init__(self, disk: Disk, client: aiohttp.ClientSession, sink: str) -> None:
        self._disk = disk
        self._client = client
        self._sink = sink
        self._parse = CompiledPhones(LibraryPhones()).parse
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._posting: set[asyncio.Task[None]] = set()

    async def accept(self, raw: bytes, key: str) -> bytes:
        contacts = _contacts.decode(raw)
        fingerprint = hashlib.sha256(raw).digest() + _canonical(raw)
        job_id, now = str(uuid.uuid4()), datetime.now(UTC).isoformat()
        valid, rejected = self._judged(contacts)
        parts = [valid[start : start + CHUNK] for start in range(0, len(valid), CHUNK)]
        chunks = [(f"{job_id}.{index}", b"[" + b",".join(part) + b"]") for index, part in enumerate(parts)]
        answer = _encode(
            {
                "job_id": job_id,
                "idempotency_status": "created",
                "status": "pending",
                "total_contacts": len(contacts),
                "valid_contacts": len(valid),
                "invalid_contacts": len(rejected),
                "chunks_count": len(chunks),
                "created_at": now,
            }
        )
        job = (job_id, len(contacts), now, _encode(rejected))
        puts = [(PUT_KEY, (key, fingerprint, answer)), (PUT_JOB, job), *((PUT_CHUNK, chunk) for chunk in chunks)]
        await self._disk.write(puts)
        for chunk, part in zip(chunks, parts, strict=True):
            self._begin(*chunk, size=len(part), now=now)
        return answer

    def _judged(self, contacts: Sequence[Contact]) -> tuple[list[bytes], list[int]]:
        valid, rejected = [], []
        for index, contact in enumerate(contacts):
            phone = self._parse(contact.phone, "RU")
            if isinstance(phone, Phone):
                row = b'{"phone":"%b","tags":%b,"additionalFields":%b}'
                valid.append(row % (phone.e164.encode(), contact.tags, contact.additionalFields))
            else:
                rejected.append(index)
        return valid, rejected

    def _begin(self, chunk_id: str, contacts: bytes, *, size: int, now: str) -> None:
        task = asyncio.create_task(self._deliver(chunk_id, contacts, size, now))
        self._posting.add(task)
        task.add_done_callback(self._posting.discard)

    async def _deliver(self, chunk_id: str, contacts: bytes, size: int, now: str) -> None:
        head = b'{"id":"%b","type":"contacts.upserted","timestamp":"%b","contacts":' % (chunk_id.encode(), now.encode())
        async with self._slots, self._client.post(self._sink, data=head + contacts + b"}") as response:
            await response.read()
        await self._disk.write([(KEEP_OUTCOME, (b"\x01" * size, datetime.now(UTC).isoformat(), chunk_id))])


def _canonical(raw: bytes) -> bytes:
    return hashlib.sha256(orjson.dumps(orjson.loads(raw), option=orjson.OPT_SORT_KEYS)).digest()


class Http(asyncio.Protocol):
    """HTTP/1.1 as a well-behaved load generator speaks it: one request at a time, with a Content-Length."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._answering: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        lines = self._buffer[:end].decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        whole = end + 4 + int(headers.get("content-length", 0))
        if len(self._buffer) < whole:
            return
        body = bytes(self._buffer[end + 4 : whole])
        del self._buffer[:whole]
        task = asyncio.create_task(self._answer(lines[0], body, headers.get("idempotency-key", "")))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer(self, line: str, body: bytes, key: str) -> None:
        accepts = line.startswith("POST /v1/contacts/import ")
        answer, status = (await self._limit.accept(body, key), "202 Accepted") if accepts else (b"{}", "200 OK")
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n"
        self._transport.write(head.encode() + answer)


async def serve(port: int, data: Path, sink: str) -> None:
    disk = Disk(data / "limit.sqlite3")
    async with aiohttp.ClientSession(headers={"Content-Type": "application/json"}) as client:
        limit = Limit(disk, client, sink)
        server = await asyncio.get_running_loop().create_server(lambda: Http(limit), "127.0.0.1", port)
        await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sink", required=True)
    options = parser.parse_args()
    uvloop.run(serve(options.port, options.data, options.sink))


if __name__ == "__main__":
    main()
