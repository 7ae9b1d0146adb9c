"""Routes as OpenAPI has them."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from contactsync.error.v1 import reason_pb2
from contactsync.openapi.v1 import openapi_pb2
from contactsync.policy.v1 import policy_pb2

from libs.openapi.apis import IMPORT, SCHEMES, Api
from libs.openapi.contracts import Contracts, Field, Method, Value
from libs.openapi.schemas import Schema, Schemas
from libs.rpc.reason import REASONS
from libs.rpc.told import Envelope, Told, content_of

_HEADERS = "contactsync.openapi.v1."
_REASONS = "contactsync.error.v1.Reason"
_JSON = "application/json"
_OF_ALL = (
    reason_pb2.REASON_VALIDATION_ERROR,
    reason_pb2.REASON_INTERNAL_ERROR,
    reason_pb2.REASON_SERVICE_UNAVAILABLE,
    reason_pb2.REASON_DEADLINE_EXCEEDED,
)
_OF_KEYED = (reason_pb2.REASON_UNAUTHORIZED, reason_pb2.REASON_FORBIDDEN, reason_pb2.REASON_RATE_LIMIT_EXCEEDED)
# No scope and no rate: a workspace's credential opens all of its API, and only failures are counted.
_OF_CREDENTIALED = (reason_pb2.REASON_UNAUTHORIZED, reason_pb2.REASON_RATE_LIMIT_EXCEEDED)
_COME_AGAIN = "retry_after_s"


class Operations:
    """Routes, with the schemas and the refusals that they refer to."""

    def __init__(self, contracts: Contracts, api: Api) -> None:
        self._contracts = contracts
        self._api = api
        self._reasons = {value.proto.number: value for value in contracts.enums[_REASONS]}
        self.schemas = Schemas(contracts)
        self.responses: dict[str, Schema] = {}

    def describe(self, method: Method) -> Schema:
        """One route."""
        told = method.told
        operation: Schema = {
            "operationId": method.proto.name,
            "summary": told.summary or method.proto.name,
            "description": _description(method),
            "security": _security(method),
            "parameters": list(self._parameters(method)),
        }
        if told.HasField("body"):
            operation["requestBody"] = self._body(told.body)
        operation["responses"] = self._answers(method)
        return operation

    def _parameters(self, method: Method) -> Iterator[Schema]:
        request = self._contracts.messages.get(method.proto.input_type.removeprefix("."))
        for field in request.fields if request else ():
            if field.proto.name != "body" and not method.proto.input_type.startswith(".google."):
                in_path = f"{{{field.proto.name}}}" in method.path
                place, needed = ("path", True) if in_path else ("query", field.told.needed)
                name = field.proto.name if in_path else field.proto.json_name
                yield self._parameter(field, name, place, required=needed)
        messages = [method.told.headers, f"{_HEADERS}CallHeaders"]
        messages += [f"{_HEADERS}SignatureHeaders"] if method.rule.scopes else []
        for field in self._fields(messages):
            yield self._parameter(field, field.proto.json_name, "header", required=not field.told.may_be_left_out)

    def _parameter(self, field: Field, name: str, place: str, *, required: bool) -> Schema:
        schema = self.schemas.of_field(field)
        parameter = {"name": name, "in": place, "required": required, "description": schema.pop("description")}
        examples = schema.pop("examples", None)
        return parameter | {"schema": schema} | ({"example": examples[0]} if examples else {})

    def _fields(self, messages: Sequence[str]) -> list[Field]:
        return [field for name in messages if name for field in self._contracts.messages[name].fields]

    def _body(self, body: openapi_pb2.Body) -> Schema:
        one = self.schemas.of_message(body.schema) | ({"unevaluatedProperties": False} if body.closed else {})
        schema = {"oneOf": [one, {"type": "array", "items": one, "minItems": 1}]} if body.one_or_many else one
        content: Schema = {"schema": schema}
        if body.examples:
            content["examples"] = {example.name: {"value": json.loads(example.json)} for example in body.examples}
        return {"required": not body.may_be_left_out, "content": {_JSON: content}}

    def _answers(self, method: Method) -> Schema:
        described = {str(answer.status): self._answer(answer, method) for answer in method.told.answers}
        for status, reasons in self._refusals(method).items():
            if status in described:
                content = described[status]["content"][_JSON]
                content["schema"] = {"anyOf": [content["schema"], self.schemas.of_message(self._api.error)]}
            else:
                described[status] = self._refused(reasons)
        return dict(sorted(described.items()))

    def _answer(self, answer: openapi_pb2.Answer, method: Method) -> Schema:
        schema, example = self.schemas.of_message(answer.schema), self.schemas.example(answer.schema)
        headers = [answer.headers, f"{_HEADERS}AnswerHeaders"]
        headers += [f"{_HEADERS}RateHeaders"] if method.rule.scopes else []
        media = answer.media_type or _JSON
        content: Schema = {"schema": schema, "example": example}
        if media != _JSON:
            content = {"schema": _event(answer.event, schema)}
        elif answer.many:
            content = {"schema": {"type": "array", "items": schema}, "example": [example]}
        return {
            "description": answer.description,
            "headers": self._headers(headers),
            "content": {media: content},
        }

    def _headers(self, messages: Sequence[str], *, sure: bool = True) -> Schema:
        described = {}
        for field in self._fields(messages):
            schema = self.schemas.of_field(field)
            text, _ = schema.pop("description"), schema.pop("examples", None)
            described[field.proto.json_name] = {
                "description": text,
                "required": sure and not field.told.may_be_left_out,
                "schema": schema,
                "example": self.schemas.example_of_field(field),
            }
        return described

    def _refusals(self, method: Method) -> dict[str, list[Value]]:
        numbers = {*_OF_ALL, *_of_door(method), *method.told.refusals}
        by_status: dict[str, list[Value]] = {}
        for number in sorted(numbers):
            reason = self._reasons[number]
            by_status.setdefault(str(_wire(reason).http_status), []).append(reason)
        return by_status

    def _refused(self, reasons: Sequence[Value]) -> Schema:
        """A reference to the answer that gives one of these reasons."""
        name = "_or_".join(_wire(reason).word for reason in reasons)
        self.responses[name] = {
            "description": " ".join(_sentence(reason) for reason in reasons),
            "headers": self._headers(list(_refusal_headers(reasons, scoped=self._api is IMPORT)), sure=False),
            "content": {
                _JSON: {
                    "schema": self.schemas.of_message(self._api.error),
                    "examples": {_wire(reason).word: {"value": self._refusal(reason)} for reason in reasons},
                }
            },
        }
        return {"$ref": f"#/components/responses/{name}"}

    def _refusal(self, reason: Value) -> Schema:
        """The error as it may look, by the example that stands in the reason's comment."""
        if self._api is not IMPORT:
            wire = REASONS[reason.proto.name.removeprefix("REASON_")]
            return content_of(Told(wire, _sentence(reason).rstrip(".")), Envelope(self._api.envelope))
        metadata = _metadata(reason)
        if "pointer" in metadata:
            return self.schemas.example(self._api.error)
        keys = {field.proto.json_name for field in self._contracts.messages[self._api.error].fields}
        told = {"error": _wire(reason).word, "message": _sentence(reason).rstrip(".")}
        return told | {key: value for key, value in metadata.items() if key in keys}


def _description(method: Method) -> str:
    text = re.sub(r"^[A-Z]+ \S+ ", "", method.text)
    return text[:1].upper() + text[1:]


def _security(method: Method) -> list[Schema]:
    """Any one of these lets a caller in; OpenAPI 3.1 lets a bearer scheme name the scopes too."""
    if method.rule.credential:
        return [{SCHEMES[method.rule.credential][0]: []}]
    names = [policy_pb2.Scope.Name(scope).removeprefix("SCOPE_").lower() for scope in method.rule.scopes]
    return [{"bearer": [name]} for name in names]


def _of_door(method: Method) -> Sequence[int]:
    if method.rule.open:
        return ()
    return _OF_CREDENTIALED if method.rule.credential else _OF_KEYED


def _event(name: str, data: Schema) -> Schema:
    """One server-sent event, in the form of OpenAPI 3.2, which has one."""
    carried = {"type": "string", "contentMediaType": _JSON, "contentSchema": data}
    properties = {"event": {"type": "string", "const": name}, "data": carried}
    return {"type": "object", "required": list(properties), "properties": properties}


def _wire(reason: Value) -> reason_pb2.Wire:
    return reason.proto.options.Extensions[reason_pb2.wire]


def _sentence(reason: Value) -> str:
    text = reason.text.split("\n", 1)[0].strip()
    return text[:1].upper() + text[1:]


def _metadata(reason: Value) -> dict[str, Any]:
    metadata: dict[str, Any] = json.loads(reason.text.split("\n", 1)[1])["metadata"]
    return metadata


def _refusal_headers(reasons: Sequence[Value], *, scoped: bool) -> Iterator[str]:
    """Those that are there when whoever refuses knows what to say in them."""
    yield f"{_HEADERS}AnswerHeaders"
    if scoped and any(reason.proto.number == reason_pb2.REASON_RATE_LIMIT_EXCEEDED for reason in reasons):
        yield f"{_HEADERS}RateHeaders"
    if all(_COME_AGAIN in _metadata(reason) for reason in reasons):
        yield f"{_HEADERS}RetryHeaders"
