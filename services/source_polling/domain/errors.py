"""What source polling refuses, with the attributes that the last door renders, and what stops its own work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Violation:
    """One field that breaks a rule. The pointer is a JSON Pointer into the request; the value is never a secret."""

    pointer: str
    code: str
    message: str
    value: str = ""


class PollingRefusedError(Exception):
    """A caller's mistake. `reason` is a name in contactsync.error.v1.Reason."""

    reason: ClassVar[str]

    def __init__(
        self, message: str, *, violations: Sequence[Violation] = (), fields: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.violations = tuple(violations)
        self.fields = dict(fields or {})


class InvalidSourceError(PollingRefusedError):
    """A source that breaks a rule; every broken one is listed."""

    reason = "VALIDATION_ERROR"

    def __init__(self, violations: Sequence[Violation]) -> None:
        super().__init__(violations[0].message, violations=violations)


class SourceNotFoundError(PollingRefusedError):
    """No source has the id."""

    reason = "NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no such source.", fields={"resource": "source"})


class RunNotFoundError(PollingRefusedError):
    """The source has no run of the id."""

    reason = "NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no such run.", fields={"resource": "run"})


class NothingHeldError(PollingRefusedError):
    """No deletes wait for approval."""

    reason = "STATE_CONFLICT"

    def __init__(self) -> None:
        super().__init__("No deletes of the source's last run wait for approval.", fields={"resource": "run"})


class LeaseLostError(Exception):
    """Another poller has the run, or it is gone: this one must not touch it any more."""


class PartUnavailableError(Exception):
    """A part of the hub does not answer now; the same call may be repeated."""

    def __init__(self, part: str, *, retry_after: timedelta = timedelta(seconds=2)) -> None:
        super().__init__(part)
        self.part = part
        self.retry_after = retry_after


class ImportRefusedError(Exception):
    """Ingestion will not take a parcel, whatever is done. The reason is a name in contactsync.error.v1.Reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
