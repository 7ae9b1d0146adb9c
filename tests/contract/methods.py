"""Every method of every service, as the contracts have it: a new one is called as soon as it is there."""

import contextlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import grpc
from contactsync.policy.v1 import policy_pb2
from google.api import annotations_pb2
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from gateway.routes import read_descriptor_set
from libs.cli.stack.plan import SERVICES

METADATA = tuple[tuple[str, str], ...]
SAME: METADATA = (("x-correlation-id", "matrix"),)
HTTP_STATUS = {
    grpc.StatusCode.OK: 200,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.INTERNAL: 500,
    grpc.StatusCode.UNKNOWN: 500,
}


@dataclass(frozen=True, slots=True)
class Method:
    """A method that runs in some process of the hub."""

    owner: str
    """The folder name of its service."""
    descriptor: MethodDescriptor

    @property
    def name(self) -> str:
        return f"{self.descriptor.containing_service.full_name}/{self.descriptor.name}"

    @property
    def rule(self) -> policy_pb2.Rule:
        return self.descriptor.GetOptions().Extensions[policy_pb2.rule]

    @property
    def routes(self) -> list[tuple[str, str]]:
        """Verb and path of each REST route."""
        rule = self.descriptor.GetOptions().Extensions[annotations_pb2.http]
        bindings = [(each.WhichOneof("pattern"), each) for each in (rule, *rule.additional_bindings)]
        return [(verb.upper(), getattr(each, verb)) for verb, each in bindings if verb]

    @property
    def fields(self) -> set[str]:
        return set(self.descriptor.input_type.fields_by_name)

    def request(self, **fields: str) -> bytes:
        message: bytes = GetMessageClass(self.descriptor.input_type)(**fields).SerializeToString()
        return message


@dataclass(frozen=True, slots=True)
class Heard:
    """What a call came to, but for what differs between any two calls."""

    status: int
    code: grpc.StatusCode
    details: str
    metadata: frozenset[tuple[str, str | bytes]]
    response: bytes


def every_method() -> list[Method]:
    """All that the processes of the hub serve."""
    return sorted(_methods(), key=lambda method: method.name)


def _methods() -> Iterator[Method]:
    pool, files = DescriptorPool(), read_descriptor_set()
    for file in files.file:
        pool.AddSerializedFile(file.SerializeToString())
    for file in files.file:
        owner = file.package.removeprefix("contactsync.").split(".")[0]
        for service in pool.FindFileByName(file.name).services_by_name.values():
            if file.package.startswith("contactsync.") and owner in SERVICES:
                yield from (Method(owner, method) for method in service.methods)


async def call(channel: grpc.aio.Channel, method: Method, request: bytes, metadata: METADATA) -> Heard:
    """Calls the method as from an address that never called before; of a stream, the first message counts."""
    address = ".".join(str(random.SystemRandom().randrange(1, 255)) for _ in range(4))
    calling = _begin(channel, method, request, (*metadata, ("x-forwarded-for", address), *SAME))
    answer = b""
    with contextlib.suppress(grpc.aio.AioRpcError):
        answer = await (calling.read() if method.descriptor.server_streaming else calling)
    if method.descriptor.server_streaming and answer:
        code, metadata_heard = grpc.StatusCode.OK, await calling.initial_metadata()
    else:
        code = await calling.code()
        metadata_heard = [*await calling.initial_metadata(), *await calling.trailing_metadata()]
    calling.cancel()
    kept = {(key, value) for key, value in metadata_heard if not key.startswith("x-ratelimit-")}
    return Heard(_status(code, kept), code, await calling.details() or "", frozenset(kept), answer or b"")


def _begin(channel: grpc.aio.Channel, method: Method, request: bytes, metadata: METADATA) -> Any:
    path = f"/{method.name}"
    if method.descriptor.client_streaming:
        multi: Any = channel.stream_unary(path)
        return multi(iter([request]), metadata=metadata, timeout=30)
    multi = channel.unary_stream(path) if method.descriptor.server_streaming else channel.unary_unary(path)
    return multi(request, metadata=metadata, timeout=30)


def _status(code: grpc.StatusCode, metadata: set[tuple[str, str | bytes]]) -> int:
    """What the gateway would write."""
    told = dict(metadata).get("x-http-status")
    return int(told) if told else HTTP_STATUS.get(code, 400)
