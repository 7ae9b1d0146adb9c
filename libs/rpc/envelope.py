"""A refusal as bytes: the REST envelope, and the details of a gRPC status."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import orjson
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from libs.rpc.reason import DOMAIN, Wire
from libs.rpc.refusal import Violation

MAX_DETAILS = 100
"""Violations that an envelope shows; `total_errors` counts them all."""

_MAX_STATUS_MESSAGE = 256
_MAX_FIELD = 128


@dataclass(frozen=True, slots=True)
class Told:
    """What a caller is told about a refusal."""

    wire: Wire
    message: str
    violations: Sequence[Violation] = ()
    fields: Mapping[str, str] | None = None
    retry_after: timedelta | None = None
    total_errors: int = 0

    @property
    def retry_after_seconds(self) -> str | None:
        """For Retry-After: whole seconds, at least 1. None: not told."""
        if self.retry_after is None:
            return None
        return str(max(1, math.ceil(self.retry_after.total_seconds())))


def envelope(told: Told) -> bytes:
    """The body on a REST route (import-api.txt, "Error Response Format"), UTF-8."""
    return orjson.dumps(_content(told))


def ascii_envelope(told: Told, limit: int) -> str:
    """The same in ASCII for a header, in at most `limit` characters.

    Details are left out from the end until it fits, then the message is cut.
    """
    told = replace(told, total_errors=told.total_errors or len(told.violations))
    shown = min(len(told.violations), MAX_DETAILS)
    while True:
        text = json.dumps(_content(replace(told, violations=told.violations[:shown])), separators=(",", ":"))
        if len(text) <= limit:
            return text
        if not shown:
            content = _content(replace(told, violations=(), message=told.message[: limit // 16]))
            return json.dumps(content, separators=(",", ":"))
        # By the length of what stands: two or three rounds, not a hundred.
        shown = min(shown - 1, shown * limit // len(text))


def status_details(told: Told, limit: int) -> bytes:
    """`google.rpc.Status` with ErrorInfo, RetryInfo and BadRequest for `grpc-status-details-bin`.

    Violations are left out from the end until it has at most `limit` bytes; ErrorInfo stays.
    """
    shown = min(len(told.violations), MAX_DETAILS)
    while True:
        raw: bytes = _status(told, told.violations[:shown]).SerializeToString()
        if len(raw) <= limit or not shown:
            return raw
        shown = min(shown - 1, shown * limit // len(raw))


def status_message(told: Told) -> str:
    """The message of a gRPC status, cut so that it fits its header even when every character takes six."""
    return told.message[:_MAX_STATUS_MESSAGE]


def _content(told: Told) -> dict[str, Any]:
    content: dict[str, Any] = {"error": told.wire.word, "message": told.message}
    if told.total_errors or told.violations:
        content["details"] = [_detail(violation) for violation in told.violations[:MAX_DETAILS]]
        content["total_errors"] = told.total_errors or len(told.violations)
    for field, value in (told.fields or {}).items():
        content.setdefault(field, value)
    return content


def _detail(violation: Violation) -> dict[str, str]:
    return {
        "pointer": violation.pointer,
        "code": violation.code,
        "message": violation.message,
        "value": violation.value,
    }


def _status(told: Told, violations: Sequence[Violation]) -> Status:
    metadata = {key: value[:_MAX_FIELD] for key, value in (told.fields or {}).items()}
    if seconds := told.retry_after_seconds:
        metadata["retry_after_s"] = seconds
    details: list[Message] = [ErrorInfo(reason=told.wire.reason, domain=DOMAIN, metadata=metadata)]
    if told.retry_after is not None:
        retry = RetryInfo()
        retry.retry_delay.FromTimedelta(told.retry_after)
        details.append(retry)
    if violations:
        details.append(BadRequest(field_violations=[_field_violation(violation) for violation in violations]))
    return Status(code=told.wire.grpc_code.value[0], message=status_message(told), details=[_pack(d) for d in details])


def _field_violation(violation: Violation) -> BadRequest.FieldViolation:
    return BadRequest.FieldViolation(field=violation.pointer, reason=violation.code, description=violation.message)


def _pack(detail: Message) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(detail)
    return packed
