"""Who may call a method, and what a signature of it covers: read once from its descriptor."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from contactsync.policy.v1 import policy_pb2
from google.api import annotations_pb2
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.unknown_fields import UnknownFieldSet

from libs.rpc.caller import Credential, Scope
from libs.rpc.told import Envelope

_ENTERPRISE = "enterprise_id"


class Signed(Enum):
    """What X-Signature covers, besides the timestamp."""

    BODY = "the raw REST body"
    EMPTY = "nothing: a GET has no body"
    MESSAGE = "the message as sent, which only a gRPC caller knows"
    MESSAGE_OR_EMPTY = "the message as sent, or nothing when the gateway made the message from a REST request"
    NEVER = "a stream cannot be signed"


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may call one method. Nothing set: nobody."""

    method: str
    """"package.Service/Method"."""
    scopes: frozenset[Scope]
    services: frozenset[str]
    open: bool
    signed: Signed
    has_key: bool
    """True: the message itself carries an idempotency key, so a repeated signature is a repeat of the same request."""
    read_body: Callable[[bytes], bytes] | None = None
    """Finds the raw REST body in the message as it came. None: the message has none."""
    credential: Credential | None = None
    """A workspace's credential that opens the method. None: none does."""
    envelope: Envelope = Envelope.IMPORT
    """How refusals look on the method's REST route."""
    read_enterprise: Callable[[bytes], str] | None = None
    """Finds the enterprise id of the path in the message as it came. None: the path names none."""


def read_rule(method: MethodDescriptor) -> Rule:
    """The rule that the contract gives; one that lets nobody in when it gives none."""
    rule = method.GetOptions().Extensions[policy_pb2.rule]
    return Rule(
        f"{method.containing_service.full_name}/{method.name}",
        frozenset(Scope(scope) for scope in rule.scopes),
        frozenset(rule.services),
        rule.open,
        _signed(method),
        "idempotency_key" in method.input_type.fields_by_name,
        _body_reader(method),
        Credential(rule.credential) if rule.credential else None,
        _envelope(method),
        _enterprise_reader(method),
    )


def is_http_body(method: MethodDescriptor) -> bool:
    """True: the method answers a REST request with bytes of its own making, errors included."""
    return method.output_type.full_name == HttpBody.DESCRIPTOR.full_name and not method.server_streaming


def _envelope(method: MethodDescriptor) -> Envelope:
    told = method.containing_service.GetOptions().Extensions[policy_pb2.envelope]
    return Envelope(told) if told else Envelope.IMPORT


def _signed(method: MethodDescriptor) -> Signed:
    if method.client_streaming:
        return Signed.NEVER
    if _body_reader(method):
        return Signed.BODY
    options = method.GetOptions()
    if not options.HasExtension(annotations_pb2.http):
        return Signed.MESSAGE
    return Signed.EMPTY if options.Extensions[annotations_pb2.http].get else Signed.MESSAGE_OR_EMPTY


def _body_reader(method: MethodDescriptor) -> Callable[[bytes], bytes] | None:
    """For a message that is the raw body, or holds it in the field that its REST route names."""
    if method.input_type is HttpBody.DESCRIPTOR:
        return _body_of
    field = method.input_type.fields_by_name.get(method.GetOptions().Extensions[annotations_pb2.http].body)
    if field is None or field.message_type is not HttpBody.DESCRIPTOR:
        return None
    message, name = GetMessageClass(method.input_type), field.name

    def read(raw: bytes) -> bytes:
        body: bytes = getattr(message.FromString(raw), name).data
        return body

    return read


def _enterprise_reader(method: MethodDescriptor) -> Callable[[bytes], str] | None:
    if _ENTERPRISE not in method.input_type.fields_by_name:
        return None
    number = method.input_type.fields_by_name[_ENTERPRISE].number

    def read(raw: bytes) -> str:
        """Even of a message that cannot be read for another field's sake, whose refusal comes behind the door."""
        try:
            fields = UnknownFieldSet(Empty.FromString(raw))
        except DecodeError:
            return ""
        given = [fields[place] for place in range(len(fields))]
        found = [each.data for each in given if each.field_number == number and isinstance(each.data, bytes)]
        return found[-1].decode(errors="replace") if found else ""

    return read


def _body_of(raw: bytes) -> bytes:
    body: bytes = HttpBody.FromString(raw).data
    return body
