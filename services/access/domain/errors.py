"""What access refuses, with the fields that the last door renders: reason, message, violations, fields, retry_after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Violation:
    """A field that breaks a rule: a JSON Pointer into the request, and the value cut to 64 characters."""

    pointer: str
    code: str
    message: str
    value: str = ""


class AccessRefusedError(Exception):
    """A caller's mistake. `reason` is a name in contactsync.error.v1.Reason."""

    reason: ClassVar[str]
    retry_after: timedelta | None = None

    def __init__(
        self, message: str, *, violations: Sequence[Violation] = (), fields: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.violations = tuple(violations)
        self.fields = dict(fields or {})


class InvalidClientError(AccessRefusedError):
    """The name or the settings of a client break a rule; every broken one is listed."""

    reason = "VALIDATION_ERROR"

    def __init__(self, violations: Sequence[Violation]) -> None:
        first = violations[0]
        super().__init__(f"{first.pointer.removeprefix('/')} {first.message}", violations=violations)


class ClientNotFoundError(AccessRefusedError):
    """No client has the id."""

    reason = "NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no such client.", fields={"resource": "client"})


class KeyNotFoundError(AccessRefusedError):
    """The client has no key with the id, or had one that ended long ago."""

    reason = "NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("The client has no such key.", fields={"resource": "key"})


class TwoKeysLiveError(AccessRefusedError):
    """A client has two live keys already. `older_ends_at` is None when the older one does not end by itself."""

    reason = "STATE_CONFLICT"

    def __init__(self, *, older_ends_at: datetime | None) -> None:
        until = (
            f" or wait until {older_ends_at.isoformat(timespec='seconds')}, when the older one ends"
            if older_ends_at
            else ""
        )
        super().__init__(f"The client has two live keys: revoke one of them{until}.", fields={"resource": "key"})
        self.older_ends_at = older_ends_at


class OperatorKeyChangedError(Exception):
    """A key of the operator, "pepper" or "master_key", is not the one that the stored data was made with."""

    def __init__(self, purpose: str) -> None:
        setting = f"CONTACTSYNC_{purpose.upper()}_FILE"
        super().__init__(
            f"{setting} holds another key than the one the database was made with. "
            "Put that one back; nothing was changed."
        )
        self.purpose = purpose
