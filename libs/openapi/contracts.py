"""The contracts with their comments, by full name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from contactsync.openapi.v1 import openapi_pb2
from contactsync.policy.v1 import policy_pb2
from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    EnumValueDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
)

_RAW = ".google.api.HttpBody"
# Numbers of the fields of FileDescriptorProto, DescriptorProto, EnumDescriptorProto and ServiceDescriptorProto.
_MESSAGES, _FIELDS, _ENUMS, _VALUES, _SERVICES, _METHODS = 4, 2, 5, 2, 6, 2


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a message."""

    proto: FieldDescriptorProto
    text: str

    @property
    def told(self) -> openapi_pb2.Field:
        """What JSON knows of it beyond proto3."""
        return self.proto.options.Extensions[openapi_pb2.field]

    @property
    def repeated(self) -> bool:
        """Maps included."""
        return self.proto.label == FieldDescriptorProto.LABEL_REPEATED

    @property
    def type_name(self) -> str:
        """Full name of its message or enum. Empty for any other type."""
        return self.proto.type_name.removeprefix(".")


@dataclass(frozen=True, slots=True)
class Message:
    """A message, its fields in order."""

    proto: DescriptorProto
    text: str
    fields: tuple[Field, ...]

    @property
    def is_map_entry(self) -> bool:
        """True for the type that proto3 makes of each map."""
        return self.proto.options.map_entry


@dataclass(frozen=True, slots=True)
class Value:
    """A value of an enum, never the one that must not be used."""

    proto: EnumValueDescriptorProto
    word: str
    text: str


@dataclass(frozen=True, slots=True)
class Method:
    """A REST route with raw bodies."""

    proto: MethodDescriptorProto
    service: str
    text: str
    envelope: int
    """Of the service's errors; a number of contactsync.policy.v1.Envelope."""

    @property
    def told(self) -> openapi_pb2.Operation:
        """How the route looks."""
        return self.proto.options.Extensions[openapi_pb2.operation]

    @property
    def is_described(self) -> bool:
        """False: the contract does not tell how it looks."""
        return self.proto.options.HasExtension(openapi_pb2.operation)

    @property
    def rule(self) -> policy_pb2.Rule:
        """Who may call it."""
        return self.proto.options.Extensions[policy_pb2.rule]

    @property
    def verb(self) -> str:
        """Lower case."""
        return str(self._http.WhichOneof("pattern"))

    @property
    def path(self) -> str:
        """With its variables in braces, as OpenAPI writes them too."""
        return str(getattr(self._http, self.verb))

    @property
    def _http(self) -> annotations_pb2.http:
        return self.proto.options.Extensions[annotations_pb2.http]


class Contracts:
    """All messages and enums by full name, and the REST routes with raw bodies in the order of the contracts."""

    def __init__(self, files: FileDescriptorSet) -> None:
        """The files must carry their source info, for the comments are in it."""
        self.messages: dict[str, Message] = {}
        self.enums: dict[str, tuple[Value, ...]] = {}
        self.methods: list[Method] = []
        for file in files.file:
            self._read(file, _comments(file))

    def _read(self, file: FileDescriptorProto, comments: dict[tuple[int, ...], str]) -> None:
        for place, message in enumerate(file.message_type):
            at = (_MESSAGES, place)
            self._read_message(f"{file.package}.{message.name}", message, comments, at)
        for place, enum in enumerate(file.enum_type):
            self.enums[f"{file.package}.{enum.name}"] = tuple(_values(enum, comments, (_ENUMS, place)))
        for place, service in enumerate(file.service):
            envelope = service.options.Extensions[policy_pb2.envelope]
            for index, method in enumerate(service.method):
                text = comments.get((_SERVICES, place, _METHODS, index), "")
                found = Method(method, service.name, text, envelope)
                if method.output_type == _RAW and method.options.HasExtension(annotations_pb2.http):
                    self.methods.append(found)

    def _read_message(
        self, name: str, message: DescriptorProto, comments: dict[tuple[int, ...], str], at: tuple[int, ...]
    ) -> None:
        fields = [Field(field, comments.get((*at, _FIELDS, place), "")) for place, field in enumerate(message.field)]
        self.messages[name] = Message(message, comments.get(at, ""), tuple(fields))
        for nested in message.nested_type:
            self._read_message(f"{name}.{nested.name}", nested, {}, ())


def _values(enum: EnumDescriptorProto, comments: dict[tuple[int, ...], str], at: tuple[int, ...]) -> Iterator[Value]:
    prefix = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", enum.name).upper() + "_"
    for place, value in enumerate(enum.value):
        if value.number:
            yield Value(value, value.name.removeprefix(prefix).lower(), comments.get((*at, _VALUES, place), ""))


def _comments(file: FileDescriptorProto) -> dict[tuple[int, ...], str]:
    return {tuple(at.path): _flowing(at.leading_comments) for at in file.source_code_info.location}


def _flowing(comment: str) -> str:
    """The comment without the line breaks of the source; an indented line stays a line of its own."""
    lines = [line.removeprefix(" ") for line in comment.rstrip().split("\n")]
    return re.sub(r"\n(?! )", " ", "\n".join(lines)).strip()
