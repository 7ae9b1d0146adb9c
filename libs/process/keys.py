"""Keys lie in files, as hex digits."""

from pathlib import Path


class KeyFileError(Exception):
    """A key file is missing, unreadable or of the wrong form. The text says what to do; it never holds the key."""

    def __init__(self, setting: str, path: Path, problem: str) -> None:
        make = f"""python3 -c 'import secrets; print(secrets.token_hex(32))' > {path} && chmod 600 {path}"""
        super().__init__(
            f"{setting} names {path}, which {problem}. If the hub's data was made with such a key, put that key back; "
            f"for a new hub make one: {make}"
        )
        self.setting = setting
        self.path = path


def read_service_keys(setting: str, path: Path) -> bytes | dict[str, bytes]:
    """Read the hub's key alone, or a service's own keys: a line for each service, its name and its key in hex.

    KeyFileError otherwise.
    """
    try:
        lines = [line.split() for line in path.read_text("ascii").splitlines()]
    except (OSError, ValueError):
        lines = []
    if not lines or any(len(words) != 2 for words in lines):
        return read_key_file(setting, path)
    try:
        keys = {name: bytes.fromhex(key) for name, key in lines}
    except ValueError:
        raise KeyFileError(setting, path, "does not hold hex digits after each name") from None
    if any(len(key) < 32 for key in keys.values()):
        raise KeyFileError(setting, path, "holds keys of less than 32 bytes")
    return keys


def read_key_file(setting: str, path: Path, *, exactly: int | None = None) -> bytes:
    """Read a key of at least 32 bytes, or of exactly so many, written as hex digits. KeyFileError otherwise."""
    try:
        key = bytes.fromhex(path.read_text("ascii"))
    except OSError as error:
        raise KeyFileError(setting, path, f"cannot be read ({error.strerror})") from error
    except ValueError:  # without its cause, whose text would tell what is in the file
        raise KeyFileError(setting, path, "does not hold hex digits alone") from None
    if len(key) < 32 or (exactly is not None and len(key) != exactly):
        wanted = f"exactly {exactly}" if exactly is not None else "32 or more"
        raise KeyFileError(setting, path, f"holds {len(key)} bytes in hex instead of {wanted}")
    return key
