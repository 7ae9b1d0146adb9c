"""The file in which an operator finds the first keys: JSON, mode 0600."""

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from services.access.domain.credentials import ADMIN_ID, FIRST_CLIENT_ID, Credentials
from services.access.domain.key import ApiKey, parse_key


class CredentialsFileError(Exception):
    """The file cannot be written, or there is one that holds something else, which was left as it is."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"CONTACTSYNC_BOOTSTRAP_FILE names {path}, which {problem}")
        self.path = path


_FOREIGN = "is no credentials file of a new hub. Move it away and start again: new keys will be made."


class JsonCredentialsFile:
    """`{"admin": {"client_id", "api_key"}, "client": {"client_id", "api_key"}}`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self, credentials: Credentials) -> Credentials:
        """Give what the file holds, these if there was none. CredentialsFileError.

        Of several that keep at once one is first, and the others give what it kept.
        """
        try:
            with suppress(FileNotFoundError):
                return self._read(self._path.read_bytes())
            try:
                _write_durably(self._path, json.dumps(_document(credentials), indent=2) + "\n")
            except FileExistsError:
                return self._read(self._path.read_bytes())
        except OSError as error:
            raise CredentialsFileError(self._path, f"cannot be written ({error.strerror}).") from error
        return credentials

    def forget(self) -> None:
        """Remove the file. CredentialsFileError."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise CredentialsFileError(self._path, f"cannot be removed ({error.strerror}).") from error

    def _read(self, content: bytes) -> Credentials:
        try:
            document = json.loads(content)
            return Credentials(
                admin=_api_key(document["admin"], ADMIN_ID), client=_api_key(document["client"], FIRST_CLIENT_ID)
            )
        except (ValueError, LookupError, TypeError) as error:
            raise CredentialsFileError(self._path, _FOREIGN) from error


def _document(credentials: Credentials) -> dict[str, dict[str, str]]:
    return {
        "admin": {"client_id": ADMIN_ID, "api_key": credentials.admin.text},
        "client": {"client_id": FIRST_CLIENT_ID, "api_key": credentials.client.text},
    }


def _api_key(entry: dict[str, Any], client_id: str) -> ApiKey:
    key_id = parse_key(entry["api_key"])
    if key_id is None or entry["client_id"] != client_id:
        raise ValueError(client_id)
    return ApiKey(key_id, entry["api_key"])


def _write_durably(path: Path, text: str) -> None:
    """After a crash the whole file is there or none; a temporary one left behind holds keys that open nothing.

    FileExistsError when there is one, which stays.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(temporary)
    finally:
        Path(temporary).unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
