"""The hub's programs, as its supervisor starts and stops them for whoever knows its password."""

import os
import time
from collections.abc import Sequence
from http.client import HTTPException
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from libs.cli.stack.errors import CannotStart


class Programs:
    """Every program of a hub, by name."""

    def __init__(self, *, address: str, password: str) -> None:
        self._url = f"http://contactsync:{password}@{address}/RPC2"

    def answers(self) -> bool:
        """Whether the supervisor takes orders."""
        try:
            self._call("getState")
        except (OSError, HTTPException):
            return False
        return True

    def start(self, names: Sequence[str]) -> None:
        """Starts programs without waiting for them."""
        for name in names:
            self._call("startProcess", name, False)  # noqa: FBT003 — the remote method's own signature

    def stop(self, name: str) -> None:
        """Sends SIGTERM and returns when the program has ended, by itself or, after its time, killed."""
        self._call("stopProcess", name, True)  # noqa: FBT003 — as above

    def stop_together(self, names: Sequence[str], *, timeout: float) -> None:
        """Sends SIGTERM to all of them, and returns when each has ended, or after ``timeout`` seconds."""
        running = {name for name, info in self.states().items() if info["pid"]}
        for name in running.intersection(names):
            self._call("stopProcess", name, False)  # noqa: FBT003 — as above
        deadline = time.monotonic() + timeout
        while any(self.states()[name]["pid"] for name in names) and time.monotonic() < deadline:
            time.sleep(0.05)

    def states(self) -> dict[str, dict[str, Any]]:
        """pid, statename and description of every program, by name."""
        infos: list[dict[str, Any]] = self._call("getAllProcessInfo")
        return {info["name"]: info for info in infos}

    def refusals(self) -> list[str]:
        """Programs that refuse to start, by name: they ended with EX_CONFIG and are not tried again."""
        return [name for name, info in self.states().items() if info["exitstatus"] == os.EX_CONFIG and not info["pid"]]

    def _call(self, method: str, *arguments: Any) -> Any:
        with ServerProxy(self._url) as proxy:
            try:
                return getattr(proxy.supervisor, method)(*arguments)
            except Fault as fault:
                raise CannotStart(
                    f"the supervisor refused {method}: {fault.faultString}", remedy="See the log folder."
                ) from fault
