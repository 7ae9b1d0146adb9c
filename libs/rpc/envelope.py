"""A refusal as bytes: the REST envelope, and the details of a gRPC status."""

import json
from collections.abc import Sequence
from dataclasses import replace

import orjson
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from libs.rpc.reason import DOMAIN
from libs.rpc.refusal import Violation
from libs.rpc.told import MAX_DETAILS, Envelope, Told, content_of

_MAX_STATUS_MESSAGE = 256
_MAX_FIELD = 128


def envelope(told: Told, shape: Envelope = Envelope.IMPORT) -> bytes:
    """The body on a REST route, UTF-8."""
    return orjson.dumps(content_of(told, shape))


def ascii_envelope(told: Told, limit: int, shape: Envelope = Envelope.IMPORT) -> str:
    """The same in ASCII for a header, in at most `limit` characters.

    Details are left out from the end until it fits, then the message is cut.
    """
    told = replace(told, total_errors=told.total_errors or len(told.violations))
    shown = min(len(told.violations), MAX_DETAILS)
    while True:
        text = _ascii(replace(told, violations=told.violations[:shown]), shape)
        if len(text) <= limit:
            return text
        if not shown:
            return _ascii(replace(told, violations=(), message=told.message[: limit // 16]), shape)
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


def _ascii(told: Told, shape: Envelope) -> str:
    return json.dumps(content_of(told, shape), separators=(",", ":"))


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
