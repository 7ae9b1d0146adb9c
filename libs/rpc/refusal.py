"""Refusals: what a caller may be told, with a reason of the contract."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule of a request.

    `pointer` is a JSON Pointer (RFC 6901) into the request, "" for the whole. `value` is what was given, already
    shortened by whoever made the violation to at most 64 characters, no contact data; "" when there is none to show.
    """

    pointer: str
    code: str
    message: str
    value: str = ""


@runtime_checkable
class Refusing(Protocol):
    """Any exception of this shape is told to the caller; so a domain's own errors need no import from here.

    Only `reason` and `message` are demanded. `violations`, `fields`, `retry_after`, `total_errors` and `code` are read
    when they are there, and mean what they mean in `Refusal`.
    """

    @property
    def reason(self) -> str: ...  # noqa: D102 - told by the class

    @property
    def message(self) -> str: ...  # noqa: D102 - told by the class


class Refusal(Exception):
    """A call that is refused, as the caller may be told.

    `reason` is a name of `contactsync.error.v1.Reason` without REASON_, for example "NOT_FOUND"; another name is told
    as INTERNAL_ERROR. `message` is a sentence for the caller, without secrets. `fields` go to the top level of the REST
    envelope and to ErrorInfo.metadata. `total_errors` counts all violations where `violations` holds only the first of
    them; 0: as many as there are. `code` is the word that a published API has for this very refusal, for example
    "LEAD_NOT_FOUND"; "": the one that its envelope has for the reason.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        violations: Sequence[Violation] = (),
        fields: Mapping[str, str] | None = None,
        retry_after: timedelta | None = None,
        total_errors: int = 0,
        code: str = "",
    ) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message
        self.violations: Sequence[Violation] = tuple(violations)
        self.fields: Mapping[str, str] = dict(fields or {})
        self.retry_after = retry_after
        self.total_errors = total_errors or len(self.violations)
        self.code = code
