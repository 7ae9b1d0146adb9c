"""A connection to a SQLite file, whose pragmas are set and read back."""

import sqlite3
from pathlib import Path

from libs.storage.errors import (
    ConstraintViolatedError,
    CorruptDatabaseError,
    DatabaseRefusedError,
    StorageUnavailableError,
)

# FULL, since NORMAL lost commits at power loss. The limit keeps one large import from leaving its log behind for ever.
_PRAGMAS: dict[str, str | int] = {
    "busy_timeout": 5000,
    "journal_mode": "wal",
    "synchronous": 2,
    "foreign_keys": 1,
    "trusted_schema": 0,
    # What is deleted or replaced is overwritten: an erased person does not lie on in a free page.
    "secure_delete": 1,
    "journal_size_limit": 64 * 1024 * 1024,
    # 16 MB: what is changed often is brought into the file once instead of four times, and forced there as often.
    "wal_autocheckpoint": 4000,
}
_UNAVAILABLE = frozenset(
    {"BUSY", "LOCKED", "NOMEM", "READONLY", "INTERRUPT", "IOERR", "CORRUPT", "FULL", "CANTOPEN", "PROTOCOL", "NOTADB"}
)


def connect_writer(path: Path) -> sqlite3.Connection:
    """In autocommit: whoever uses it begins and commits. May be used from another thread than this one."""
    return _connect(path, _PRAGMAS)


def connect_reader(path: Path) -> sqlite3.Connection:
    """Refuses to write."""
    return _connect(path, {**_PRAGMAS, "query_only": 1})


def _connect(path: Path, pragmas: dict[str, str | int]) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
    try:
        for name, value in pragmas.items():
            _set(connection, path, name, value)
    except BaseException:
        connection.close()
        raise
    return connection


def _set(connection: sqlite3.Connection, path: Path, name: str, value: str | int) -> None:
    connection.execute(f"PRAGMA {name}={value}").fetchall()
    found = connection.execute(f"PRAGMA {name}").fetchone()[0]
    if found != value:
        raise DatabaseRefusedError(
            str(path),
            why=f"SQLite keeps {name} at {found} where {value} is needed.",
            remedy="Put the file on a local disk, with a SQLite library of 3.35 or newer.",
        )


def translated(error: BaseException) -> BaseException:
    """What a caller of libs.storage sees; a mistake in a statement stays what it is."""
    if not isinstance(error, sqlite3.Error):
        return error
    if isinstance(error, sqlite3.IntegrityError):
        return ConstraintViolatedError(str(error))
    name = error_name(error)
    if name.removeprefix("SQLITE_").split("_")[0] in _UNAVAILABLE:
        return StorageUnavailableError(name)
    return error


def error_name(error: BaseException) -> str:
    """SQLite's own, such as SQLITE_IOERR_FSYNC; empty for errors of the Python module."""
    return getattr(error, "sqlite_errorname", "")


def corrupt(path: Path, why: str) -> CorruptDatabaseError:
    """A refusal that says how to go on."""
    return CorruptDatabaseError(
        str(path),
        why=f"the file is damaged or no SQLite database ({why}).",
        remedy="Restore it from a backup, or move it away to begin with an empty one; nothing was changed.",
    )
