"""Asks the hub's processes whether they are ready, and whether they speak the contracts that the gateway knows."""

import socket
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Self

import grpc
import httpx
from google.protobuf import descriptor_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from gateway.routes import read_descriptor_set
from libs.cli.stack.nats import nats_port_names
from libs.cli.stack.plan import Plan, service_of
from libs.rpc.tls import Tls

_PROBE_SECONDS = 5.0
"""A service that is well may be busy for a second, on a machine that has others to serve."""


def nats_answers(plan: Plan) -> bool:
    """Whether every NATS server and its monitor take connections."""
    return all(_takes_connections(plan.ports[name]) for name in nats_port_names(plan.shape))


def answers(url: str) -> bool:
    """Whether a page is there."""
    try:
        return httpx.get(url, timeout=2, trust_env=False).is_success
    except httpx.TransportError:
        return False


def _takes_connections(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=_PROBE_SECONDS).close()
    except OSError:
        return False
    return True


class Probe:
    """Channels to the service processes of a hub, by their names."""

    def __init__(self, addresses: Mapping[str, str], *, tls: Tls) -> None:
        """``tls`` is how the operator calls services."""
        # Local subchannel pool and quick reconnects: a refused first connection must not make the next one wait.
        options = [
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 200),
        ]
        self._channels = {
            name: tls.to(service_of(name)).blocking_channel(address, options) for name, address in addresses.items()
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for channel in self._channels.values():
            channel.close()

    def serves(self, name: str) -> bool:
        """Whether the process says SERVING of itself."""
        stub = health_pb2_grpc.HealthStub(self._channels[name])
        try:
            answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=_PROBE_SECONDS)
        except grpc.RpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    def contract_differences(self) -> list[str]:
        """Proto files that a process tells otherwise over reflection than the gateway's descriptor set has them.

        One that tells nothing, because it ended meanwhile, differs in all of them.
        """
        ours = {file.name: file for file in read_descriptor_set().file}
        differences = []
        for name, channel in self._channels.items():
            try:
                told = list(_contracts_of(channel))
            except grpc.RpcError:
                differences.append(f"everything at {name}, which does not answer")
            else:
                differences += [f"{file.name} at {name}" for file in told if not _same(file, ours.get(file.name))]
        return differences


def _contracts_of(channel: grpc.Channel) -> Iterator[descriptor_pb2.FileDescriptorProto]:
    database = ProtoReflectionDescriptorDatabase(channel)
    for symbol in database.get_services():
        if symbol.startswith("contactsync."):
            yield database.FindFileContainingSymbol(symbol)


def _same(told: descriptor_pb2.FileDescriptorProto, ours: descriptor_pb2.FileDescriptorProto | None) -> bool:
    return ours is not None and _comparable(told) == _comparable(ours)


def _comparable(file: descriptor_pb2.FileDescriptorProto) -> bytes:
    """The file without the JSON names that protoc derives and writes into descriptor sets only."""
    plain = descriptor_pb2.FileDescriptorProto.FromString(file.SerializeToString())
    messages = list(plain.message_type)
    while messages:
        message = messages.pop()
        messages += message.nested_type
        for field in (*message.field, *message.extension):
            field.ClearField("json_name")
    for extension in plain.extension:
        extension.ClearField("json_name")
    return plain.SerializeToString(deterministic=True)
