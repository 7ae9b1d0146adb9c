"""JSON Schema of the messages that raw bodies look like."""

import json
from collections.abc import Mapping
from typing import Any

from buf.validate import validate_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto

from libs.openapi.contracts import Contracts, Field, Message

Schema = dict[str, Any]

_TYPES: Mapping[int, Schema] = {
    FieldDescriptorProto.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptorProto.TYPE_DOUBLE: {"type": "number"},
    FieldDescriptorProto.TYPE_INT32: {"type": "integer", "format": "int32"},
    FieldDescriptorProto.TYPE_INT64: {"type": "integer", "format": "int64"},
    FieldDescriptorProto.TYPE_STRING: {"type": "string"},
}
_WELL_KNOWN: Mapping[str, Schema] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Struct": {"type": "object"},
    "google.protobuf.Value": {},
}
_KEYWORDS = {
    "min_len": "minLength",
    "max_len": "maxLength",
    "pattern": "pattern",
    "const": "const",
    "in": "enum",
    "gte": "minimum",
    "lte": "maximum",
    "min_items": "minItems",
    "max_items": "maxItems",
}
_MOMENT = "2024-01-15T12:00:00Z"
_PLAINEST: Mapping[str, Any] = {"boolean": False, "integer": 0, "number": 0}


class Schemas:
    """Schemas of messages; those that were asked for are in `components`, by short name."""

    def __init__(self, contracts: Contracts) -> None:
        self._contracts = contracts
        self.components: dict[str, Schema] = {}

    def of_message(self, name: str) -> Schema:
        """A reference to the message of this full name."""
        short = name.rsplit(".", 1)[1]
        if short not in self.components:
            self.components[short] = {}  # Its place, before the messages that it holds.
            self.components[short].update(self._object(self._contracts.messages[name]))
        return {"$ref": f"#/components/schemas/{short}"}

    def _object(self, message: Message) -> Schema:
        return {
            "type": "object",
            "description": message.text,
            "required": [field.proto.json_name for field in message.fields if not field.told.may_be_left_out],
            "properties": {field.proto.json_name: self.of_field(field) for field in message.fields},
        }

    def of_field(self, field: Field) -> Schema:
        """The field's own schema, with its text and an example."""
        schema = self._plain(field) | _limits(field)
        if field.told.format:
            schema["format"] = field.told.format
        if field.told.one_or_many:
            schema = {"oneOf": [schema, schema["items"]]}
        if field.told.may_be_null:
            schema = _nullable(schema)
        schema["description"] = field.text + self._words(field)
        if field.told.example and "$ref" not in schema:
            schema["examples"] = [self.example_of_field(field)]
        return schema

    def _plain(self, field: Field) -> Schema:
        entry = self._contracts.messages.get(field.type_name)
        if entry and entry.is_map_entry:
            return {"type": "object", "additionalProperties": self._single(entry.fields[1])}
        return {"type": "array", "items": self._single(field)} if field.repeated else self._single(field)

    def _single(self, field: Field) -> Schema:
        if field.told.HasField("integer"):
            bounds = field.told.integer
            return {"type": "integer", "minimum": bounds.least, "maximum": bounds.most}
        if field.type_name in self._contracts.enums:
            return {"type": "string", "enum": [value.word for value in self._contracts.enums[field.type_name]]}
        if field.type_name in _WELL_KNOWN:
            return dict(_WELL_KNOWN[field.type_name])
        return self.of_message(field.type_name) if field.type_name else dict(_TYPES[field.proto.type])

    def _words(self, field: Field) -> str:
        values = self._contracts.enums.get(field.type_name, ())
        return "".join(f"\n- {value.word}: {value.text}" for value in values)

    def example(self, name: str) -> dict[str, Any]:
        """A whole message, of the examples of its fields. Fields that may be left out are there when they have one."""
        fields = self._contracts.messages[name].fields
        shown = [field for field in fields if field.told.example or not field.told.may_be_left_out]
        return {field.proto.json_name: self.example_of_field(field) for field in shown}

    def example_of_field(self, field: Field) -> Any:
        """The example that the contract gives, or one that follows from the type."""
        given, plain = field.told.example, self._plain(field)
        if given:
            return given if plain.get("type") == "string" else json.loads(given)
        if field.told.may_be_null:
            return None
        single = self._example_of_type(field, plain)
        return [single] if field.repeated else single

    def _example_of_type(self, field: Field, plain: Schema) -> Any:
        if field.type_name in self._contracts.messages and field.type_name not in _WELL_KNOWN:
            return self.example(field.type_name)
        schema = plain | _limits(field)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        if schema.get("format") == "date-time":
            return _MOMENT
        return _PLAINEST.get(schema.get("type", ""), "")


def _limits(field: Field) -> Schema:
    """The validation rules of the field as JSON Schema has them."""
    rules = field.proto.options.Extensions[validate_pb2.field]
    kind = rules.WhichOneof("type")
    if kind is None:
        return {}
    return {
        _KEYWORDS[rule.name]: list(value) if rule.name == "in" else value
        for rule, value in getattr(rules, kind).ListFields()
        if rule.name in _KEYWORDS
    }


def _nullable(schema: Schema) -> Schema:
    if "$ref" in schema:
        return {"oneOf": [schema, {"type": "null"}]}
    if "oneOf" in schema:
        return {"oneOf": [*schema["oneOf"], {"type": "null"}]}
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    return schema | {"type": [schema["type"], "null"]}
