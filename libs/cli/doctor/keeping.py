"""What keeps the hub's data: databases and the bus."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from libs.bus import BusUnavailable, NotSynchronous, StreamHealth, assert_synchronous, look_at_streams
from libs.cli.doctor.finding import Finding
from libs.cli.stack.errors import CannotStart
from libs.cli.stack.folder import DataFolder
from libs.cli.stack.postgres import look_at_server, place_of

_FULL = 0.9


def databases(folder: DataFolder) -> Finding:
    """Where the data is, and whether what is promised to be on disk is."""
    if folder.postgres_url.exists():
        return _postgresql(folder.postgres_url.read_text().strip())
    files = folder.database_files()
    size = sum(file.stat().st_size for file in files) // 1024**2
    without = [file.name for file in files if _journal_of(file) != "wal"]
    seen = f"{size} MB in {len(files)} SQLite files, each with a write-ahead log"
    if not without:
        return Finding("databases", seen)
    remedy = "Something else opened them: restart contactsync up, which sets its pragmas and reads them back."
    return Finding("databases", f"no write-ahead log: {', '.join(without)}", remedy, well=False)


def _journal_of(file: Path) -> str:
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=5)) as connection:
            return str(connection.execute("PRAGMA journal_mode").fetchone()[0])
    except sqlite3.Error as error:
        return error.sqlite_errorname


def _postgresql(url: str) -> Finding:
    try:
        server = asyncio.run(look_at_server(url))
    except CannotStart as error:
        return Finding("databases", error.what, error.remedy, well=False)
    if server.unsafe:
        remedy = "Set them to on: without, what was accepted may be lost when the power is."
        return Finding("databases", f"{place_of(url)}: {', '.join(server.unsafe)} is off", remedy, well=False)
    remedy = "Raise max_connections, or run fewer replicas."
    seen = f"{place_of(url)}, {server.used} of {server.limit} connections used"
    return Finding("databases", seen, remedy, well=server.used < server.limit * _FULL)


def bus(monitors: dict[str, str]) -> Iterator[Finding]:
    """Whether each server of the bus syncs what it takes, and each stream is led and copied."""
    for server, monitor in monitors.items():
        yield _synchronous(server, monitor)
    with suppress(BusUnavailable):  # said of each server above
        for stream in asyncio.run(look_at_streams(list(monitors.values()))):
            yield _stream(stream, log=" and ".join(f"log/{server}.log" for server in monitors))


def _synchronous(server: str, monitor: str) -> Finding:
    try:
        asyncio.run(assert_synchronous(monitor))
    except BusUnavailable as error:
        remedy = f"See log/{server}.log; if it hangs: contactsync restart {server}. Nothing is lost meanwhile."
        return Finding(server, str(error), remedy, well=False)
    except NotSynchronous as error:
        remedy = (
            f"It turns itself off when the disk is full: make room, then contactsync restart {server}. Else restart "
            "contactsync up, which writes the right configuration."
        )
        return Finding(server, str(error), remedy, well=False)
    return Finding(server, "JetStream syncs every write")


def _stream(stream: StreamHealth, *, log: str) -> Finding:
    seen = f"{stream.replicas} of {stream.replicas} servers have it" if stream.replicas > 1 else "one server has it"
    if not stream.leader:
        seen = "no server leads it: nothing can be published"
    elif stream.behind:
        seen = f"led by {stream.leader}; behind or away: {', '.join(stream.behind)} (lag {stream.lag})"
    remedy = f"Half of the servers and one must run and reach each other; see {log}. Nothing is lost meanwhile."
    return Finding(f"stream {stream.name}", seen, remedy, well=stream.healthy)
