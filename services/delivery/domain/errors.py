"""What delivery refuses, with the attributes that the last door renders."""

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


class DeliveryRefusedError(Exception):
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


class InvalidDestinationError(DeliveryRefusedError):
    """A destination that breaks a rule; every broken one is listed."""

    reason = "VALIDATION_ERROR"

    def __init__(self, *violations: Violation) -> None:
        super().__init__(violations[0].message, violations=violations)


class DirectoryExistsError(DeliveryRefusedError):
    """There is one contact book, and it is a destination already."""

    reason = "STATE_CONFLICT"

    def __init__(self) -> None:
        super().__init__(
            'The contact book is a destination already, with the id "directory".', fields={"resource": "destination"}
        )


class DestinationNotFoundError(DeliveryRefusedError):
    """No destination has the id."""

    reason = "NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no such destination.", fields={"resource": "destination"})


class DeliveryNotFoundError(DeliveryRefusedError):
    """The chunk was never to be delivered to the destination."""

    reason = "NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no such delivery.", fields={"resource": "delivery"})


class DeadLetterNotFoundError(DeliveryRefusedError):
    """The row is no dead letter of the destination."""

    reason = "NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no such dead letter.", fields={"resource": "dead letter"})


class ReplayNotFoundError(DeliveryRefusedError):
    """No replay of the destination has the id."""

    reason = "NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no such replay.", fields={"resource": "replay"})


class ChunkNotFoundError(DeliveryRefusedError):
    """No chunk has the id."""

    reason = "NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no such chunk.", fields={"resource": "chunk"})


class DestinationInUseError(DeliveryRefusedError):
    """Something still needs the destination; the message says what to do."""

    reason = "STATE_CONFLICT"

    def __init__(self, message: str) -> None:
        super().__init__(message, fields={"resource": "destination"})


class NoSecretError(DeliveryRefusedError):
    """Only a webhook's requests are signed."""

    reason = "STATE_CONFLICT"

    def __init__(self) -> None:
        super().__init__("Only a webhook has a signing secret.", fields={"resource": "destination"})


class InvalidSelectionError(DeliveryRefusedError):
    """Dead letters are named in a way that cannot be meant."""

    reason = "VALIDATION_ERROR"

    def __init__(self, *violations: Violation) -> None:
        super().__init__(violations[0].message, violations=violations)
