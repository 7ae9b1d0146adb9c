"""The data folder: where everything of one hub lies on one machine."""

import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from libs.cli.stack.errors import CannotStart

_KEYS = ("service", "master", "pepper", "nats", "supervisor")
_KEPT_FOR_GOOD = ("master", "pepper")
"""Without these what is stored cannot be read; the others may be made anew."""


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Paths of a hub's files under ``root``.

    ``db`` holds the databases, ``nats`` the tickets, ``keys`` the secrets (0600), ``log`` the logs, ``run`` what is
    written anew at every start.
    """

    root: Path

    @property
    def credentials(self) -> Path:
        """The admin's key and the first client's, written once on first start (0600)."""
        return self.root / "credentials.json"

    @property
    def run_facts(self) -> Path:
        """Port, addresses and process id of the running hub."""
        return self.root / "run" / "run.json"

    def key(self, name: str) -> Path:
        """The file of a secret: service, master, pepper, nats or supervisor."""
        return self.root / "keys" / f"{name}.key"

    @property
    def service_keys(self) -> Path:
        """The folder of what is each service's own: keys and passwords (0600)."""
        return self.root / "run" / "keys"

    @property
    def postgres_url(self) -> Path:
        """Holds the URL of the database that this hub is on (0600); missing: it is on SQLite files."""
        return self.root / "keys" / "postgres.url"

    @property
    def postgres_password(self) -> Path:
        """Holds the password alone (0600)."""
        return self.root / "keys" / "postgres.password"

    def database_files(self) -> list[Path]:
        """The SQLite databases that there are."""
        return sorted((self.root / "db").glob("*.sqlite3"))

    def database_file(self, service: str) -> Path:
        """A service's SQLite database."""
        return self.root / "db" / f"{service}.sqlite3"

    def database_url(self, service: str) -> str:
        """The SQLite URL of a service's database."""
        return f"sqlite:///{self.database_file(service)}"

    def prepare(self) -> None:
        """Makes what is missing.

        Raises CannotStart when the folder cannot be used, and when a key is gone that its data was made with.
        """
        try:
            for name in ("db", "nats", "keys", "log", "run"):
                (self.root / name).mkdir(parents=True, exist_ok=True, mode=0o700)
            probe = self.root / "run" / ".writable"
            probe.write_bytes(b"")
            probe.unlink()
            self._make_keys()
        except OSError as error:
            remedy = "Give --data a folder on a local disk that this user may write to."
            raise CannotStart(f"the data folder {self.root} cannot be used: {error.strerror}", remedy=remedy) from error

    def _make_keys(self) -> None:
        missing = [name for name in _KEYS if not self.key(name).exists()]
        lost = [str(self.key(name)) for name in missing if name in _KEPT_FOR_GOOD]
        if lost and (self.database_files() or self.postgres_url.exists()):
            remedy = "Put it back from a backup: without it nobody's key opens, and nothing sealed can be read."
            raise CannotStart(f"{' and '.join(lost)} is missing, with which this hub's data was made", remedy=remedy)
        for name in missing:
            write_private(self.key(name), secrets.token_hex(32))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Holds the folder for one hub. Raises CannotStart while another one runs on it."""
        handle = os.open(self.root / "run" / "up.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            if not _locked(handle):
                where = self.read_run_facts().get("url", "an unknown address")
                remedy = "Use that one, stop it first, or give --data another folder."
                raise CannotStart(f"a hub runs on {self.root} already, at {where}", remedy=remedy)
            yield
        finally:
            os.close(handle)

    def is_held(self) -> bool:
        """Whether a hub runs on it."""
        try:
            handle = os.open(self.root / "run" / "up.lock", os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            return False
        finally:
            os.close(handle)

    def read_run_facts(self) -> dict[str, Any]:
        """What the last start wrote; empty when there was none."""
        with suppress(FileNotFoundError, ValueError):
            facts = json.loads(self.run_facts.read_text())
            if isinstance(facts, dict):
                return facts
        return {}

    def write_run_facts(self, facts: Mapping[str, Any]) -> None:
        """Replaces what the last start wrote, atomically."""
        write_private(self.run_facts, json.dumps(facts, indent=2))


def _locked(handle: int) -> bool:
    """Tried again once: `is_held` holds the lock too, for a moment."""
    for pause in (0.1, 0.0):
        with suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(pause)
    return False


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner can read; a reader sees the old text or the new one, never half."""
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
