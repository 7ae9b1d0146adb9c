"""How much the process says, set while it runs."""

import logging
from typing import Any

from contactsync.operation.v1 import log_service_pb2 as pb
from contactsync.operation.v1.log_service_pb2_grpc import LogServiceServicer

DESCRIPTOR = pb.DESCRIPTOR.services_by_name["LogService"]
_PREFIX = "LOG_LEVEL_"
_OURS = logging.getLogger("contactsync")
"""The level of what is ours lies at this logger of the standard library; whoever writes lines goes by it."""


class LogLevels(LogServiceServicer):
    """Serves LogService."""

    async def GetLevel(self, _request: pb.GetLevelRequest, _context: Any) -> pb.GetLevelResponse:  # noqa: D102, N802 - gRPC's
        return pb.GetLevelResponse(level=_level())

    async def SetLevel(self, request: pb.SetLevelRequest, _context: Any) -> pb.SetLevelResponse:  # noqa: D102, N802 - gRPC's
        before = _level()
        _OURS.setLevel(pb.LogLevel.Name(request.level).removeprefix(_PREFIX))
        return pb.SetLevelResponse(before=before)


def _level() -> pb.LogLevel.ValueType:
    """The level; what lies above ERROR is told as ERROR."""
    number = min(_OURS.getEffectiveLevel(), logging.ERROR)
    return pb.LogLevel.Value(f"{_PREFIX}{logging.getLevelName(number)}")
