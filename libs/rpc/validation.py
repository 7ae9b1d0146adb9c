"""Requests held against the rules of their contract."""

from collections.abc import Callable

from google.protobuf.message import DecodeError, Message
from protovalidate import Validator
from protovalidate import Violation as BrokenRule

from libs.rpc.refusal import Refusal, Violation

_SHOWN = 100
_VALUE_CHARACTERS = 64
_FAILED = "Request validation failed"


def read_request(parse: Callable[[bytes], Message], raw: bytes, validator: Validator) -> Message:
    """The request. Refuses with VALIDATION_ERROR bytes that are no such message, and one that breaks a rule."""
    try:
        request = parse(raw)
    except DecodeError:
        violation = Violation("", "malformed", "The request is not a message of this method.")
        raise Refusal("VALIDATION_ERROR", _FAILED, violations=[violation]) from None
    if broken := validator.collect_violations(request):
        violations = [_violation(rule) for rule in broken[:_SHOWN]]
        raise Refusal("VALIDATION_ERROR", _FAILED, violations=violations, total_errors=len(broken))
    return request


def _violation(broken: BrokenRule) -> Violation:
    proto = broken.proto
    return Violation(_pointer(broken), proto.rule_id or "invalid", proto.message or "is not valid", _shown(broken))


def _pointer(broken: BrokenRule) -> str:
    """The path of the field as a JSON Pointer: proto names, as the messages of this hub are named everywhere."""
    path = broken.proto.field
    if path is None:
        return ""
    steps: list[str] = []
    for element in path.elements:
        steps.append(element.field_name)
        if element.subscript is not None:
            steps.append(str(element.subscript.value))
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)


def _shown(broken: BrokenRule) -> str:
    """What was given, when it is short to say. Bytes and messages are not."""
    value = broken.field_value
    return str(value)[:_VALUE_CHARACTERS] if isinstance(value, str | int | float) else ""
