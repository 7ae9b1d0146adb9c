"""The database file before it is opened: its place, its one writer, and whether it may be touched at all."""

import fcntl
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote, unquote, urlsplit

from libs.storage.errors import DatabaseRefusedError, SecondWriterError
from libs.storage.sqlite.connection import corrupt

_MAGIC = b"SQLite format 3\x00"
# Checking every page of a larger file would hold up the start; damage there shows when the page is read.
_CHECKED_WHOLE = 64 * 1024 * 1024


def path_of(url: str) -> Path:
    """`sqlite:////absolute/path` or `sqlite:///relative/path`."""
    return Path(unquote(urlsplit(url).path.removeprefix("/")))


class FileLock:
    """Holds `<file>.lock` for as long as this process writes; the kernel lets go of it when the process dies."""

    def __init__(self, path: Path) -> None:
        """Raises SecondWriterError when another has it, DatabaseRefusedError when the folder cannot be used."""
        self._path = path
        self._descriptor = self._open(path.with_name(f"{path.name}.lock"))
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._descriptor, 20, 0).decode("ascii", "replace") or "unknown"
            os.close(self._descriptor)
            raise _second_writer(path, holder) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """The file stays: deleting it would let two processes lock two files of one name."""
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self.release()

    @staticmethod
    def _open(path: Path) -> int:
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DatabaseRefusedError(
                str(path),
                why=f"it cannot be opened for writing ({error.strerror}).",
                remedy="Create the folder, or let this user write to it.",
            ) from None


def _second_writer(path: Path, holder: str) -> SecondWriterError:
    return SecondWriterError(
        str(path),
        why=f"process {holder} writes to it already.",
        remedy="Stop that one first, or give this one another file.",
    )


def revision_of(path: Path) -> str | None:
    """The revision that the file is migrated to, None when it is new.

    Reads without changing a byte of it; raises CorruptDatabaseError when it is damaged or not ours.
    """
    if not path.exists() or path.stat().st_size == 0:
        return None
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
        if magic != _MAGIC:
            raise corrupt(path, "its first bytes are not SQLite's")
        return _inspected(path)
    except sqlite3.Error as error:
        raise corrupt(path, str(error)) from None
    except OSError as error:
        raise DatabaseRefusedError(
            str(path), why=f"it cannot be read ({error.strerror}).", remedy="Let this user read and write it."
        ) from None


def _inspected(path: Path) -> str | None:
    log = path.with_name(f"{path.name}-wal")
    # Without a log the file is all there is, and immutable leaves not even a shared-memory file beside it.
    mode = "mode=ro" if log.exists() and log.stat().st_size else "mode=ro&immutable=1"
    with closing(sqlite3.connect(f"file:{quote(str(path.absolute()))}?{mode}", uri=True)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        _check_pages(connection, path)
        if "alembic_version" in tables:
            return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])
        if tables:
            raise corrupt(path, "its tables were not made by this program")
        return None


def _check_pages(connection: sqlite3.Connection, path: Path) -> None:
    if path.stat().st_size > _CHECKED_WHOLE:
        return
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise corrupt(path, str(verdict).splitlines()[-1])
