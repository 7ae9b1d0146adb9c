"""The reasons of the contract and how each looks on the wire, read from the options in reason.proto."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import grpc
from contactsync.error.v1 import reason_pb2

DOMAIN = "contactsync"
"""google.rpc.ErrorInfo.domain of every refusal."""

_PREFIX = "REASON_"
_CODES = {code.value[0]: code for code in grpc.StatusCode}


@dataclass(frozen=True, slots=True)
class Wire:
    """How a reason looks on each wire."""

    reason: str
    grpc_code: grpc.StatusCode
    http_status: int
    word: str
    """Of the import envelope."""


def _read() -> Mapping[str, Wire]:
    wires: dict[str, Wire] = {}
    for value in reason_pb2.Reason.DESCRIPTOR.values:
        if not value.number:
            continue
        wire = value.GetOptions().Extensions[reason_pb2.wire]
        reason = value.name.removeprefix(_PREFIX)
        wires[reason] = Wire(reason, _CODES[wire.grpc_code], wire.http_status, wire.word)
    return MappingProxyType(wires)


REASONS: Mapping[str, Wire] = _read()
"""By name without REASON_; all but UNSPECIFIED."""
