"""Asks the processes of a running hub how much they say, and tells them to say more or less."""

from collections.abc import Mapping
from typing import Any

import grpc
from contactsync.operation.v1 import log_service_pb2 as pb
from contactsync.operation.v1.log_service_pb2_grpc import LogServiceStub

from libs.cli.api import NoHub, key_of
from libs.cli.stack.certificates import operator_of
from libs.cli.stack.folder import DataFolder

_PREFIX = "LOG_LEVEL_"
_SECONDS = 5.0


class RunningLogs:
    """The logs of the hub that runs on a folder, as its run.json tells of it."""

    def __init__(self, folder: DataFolder, facts: Mapping[str, Any]) -> None:
        self._facts = facts
        self._operator = operator_of(folder, tls=facts["tls"])
        self._metadata = (("authorization", f"Bearer {key_of(folder, 'admin')}"),)

    def set(self, name: str, level: str) -> None:
        """Sets the level of a process, given in small letters."""
        wanted = pb.LogLevel.Value(f"{_PREFIX}{level.upper()}")
        self._ask(name, "SetLevel", pb.SetLevelRequest(level=wanted))

    def level(self, name: str) -> str:
        """The level of a process, in small letters."""
        told = self._ask(name, "GetLevel", pb.GetLevelRequest()).level
        return pb.LogLevel.Name(told).removeprefix(_PREFIX).lower()

    def _ask(self, name: str, method: str, request: Any) -> Any:
        callee = self._operator.to(self._facts["instances"][name])
        with callee.blocking_channel(self._facts["addresses"][name], ()) as channel:
            stub = LogServiceStub(channel)  # type: ignore[arg-type]  # its types are those of asyncio's channels only
            try:
                return getattr(stub, method)(request, metadata=self._metadata, timeout=_SECONDS)
            except grpc.RpcError as error:
                raise NoHub(f"{name} does not answer ({error.code().name}); see contactsync doctor") from None
