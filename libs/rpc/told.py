"""What a caller is told about a refusal, in the envelope of the route's service."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import Any

from libs.rpc.reason import Wire
from libs.rpc.refusal import Violation

MAX_DETAILS = 100
"""Violations that an envelope shows."""


class Envelope(IntEnum):
    """The shape of an error on a REST route; the numbers of `contactsync.policy.v1.Envelope`."""

    IMPORT = 1
    TELECRM = 2
    CONNECT = 3
    CONTACT_SOURCE = 4


@dataclass(frozen=True, slots=True)
class Told:
    """What a caller is told about a refusal."""

    wire: Wire
    message: str
    violations: Sequence[Violation] = ()
    fields: Mapping[str, str] | None = None
    retry_after: timedelta | None = None
    total_errors: int = 0
    code: str = ""
    """The envelope's own word for it. Empty: the one that it has for the reason."""

    @property
    def retry_after_seconds(self) -> str | None:
        """For Retry-After: whole seconds, at least 1. None: not told."""
        if self.retry_after is None:
            return None
        return str(max(1, math.ceil(self.retry_after.total_seconds())))


def content_of(told: Told, envelope: Envelope) -> dict[str, Any]:
    """The JSON object of an error body."""
    return _CONTENTS[envelope](told)


def _import(told: Told) -> dict[str, Any]:
    """As import-api.txt has it, "Error Response Format". `total_errors` counts the violations not shown too."""
    content: dict[str, Any] = {"error": told.code or told.wire.word, "message": told.message}
    if told.total_errors or told.violations:
        content["details"] = [_detail(violation) for violation in told.violations[:MAX_DETAILS]]
        content["total_errors"] = told.total_errors or len(told.violations)
    for field, value in (told.fields or {}).items():
        content.setdefault(field, value)
    return content


def _detail(violation: Violation) -> dict[str, str]:
    detail = {"pointer": violation.pointer, "code": violation.code, "message": violation.message}
    value = getattr(violation, "value", "")
    return {**detail, "value": value} if value else detail


# The codes of telecrm-sync-api.txt, "Common codes"; any other reason goes by its own name.
_TELECRM_CODES = {"VALIDATION_ERROR": "BAD_REQUEST", "UNAUTHORIZED": "NOT_AUTHORIZED"}


def _telecrm(told: Told) -> dict[str, Any]:
    code = told.code or _TELECRM_CODES.get(told.wire.reason, told.wire.reason)
    error: dict[str, Any] = {"code": code, "message": told.message}
    if told.violations:
        error["details"] = [
            {"field": violation.pointer.removeprefix("/").replace("/", "."), "message": violation.message}
            for violation in told.violations[:MAX_DETAILS]
        ]
    return {"error": error}


def _sentence(told: Told) -> dict[str, Any]:
    """As connect-contacts.txt has it, "Error Handling"; a contact source does the same."""
    return {"error": told.message}


_CONTENTS: Mapping[Envelope, Callable[[Told], dict[str, Any]]] = {
    Envelope.IMPORT: _import,
    Envelope.TELECRM: _telecrm,
    Envelope.CONNECT: _sentence,
    Envelope.CONTACT_SOURCE: _sentence,
}
