"""Ports on loopback for the processes of one hub."""

import os
import random
import socket
from collections.abc import Collection, Iterable

from libs.cli.stack.errors import CannotStart

RANGE_VARIABLE = "CONTACTSYNC_PORTS"
"""Names another range: two hubs that start at the same moment take no port of each other where theirs differ."""
# Below the ephemeral range (32768 and up): no outgoing connection takes a port while its service restarts.
_RANGE = "20000-32000"


def require_free(port: int) -> None:
    """Raises CannotStart when something listens on the port already."""
    if not _is_free(port):
        raise CannotStart(
            f"port {port} is taken", remedy="Stop what listens there, or give --port another number (0: any)."
        )


def choose_free(names: Iterable[str], *, besides: Collection[int] = ()) -> dict[str, int]:
    """A free port for each name, no two alike, and none of those ``besides``, which are given and not taken yet.

    Raises CannotStart where the range is none, or holds too few.
    """
    chosen: dict[str, int] = {}
    first, last = _read_range(os.environ.get(RANGE_VARIABLE) or _RANGE)
    source = random.SystemRandom()
    for name in names:
        candidates = (source.randint(first, last) for _ in range(1000))
        found = (port for port in candidates if port not in {*chosen.values(), *besides} and _is_free(port))
        if (port := next(found, 0)) == 0:
            raise CannotStart(
                f"too few ports from {first} to {last} are free", remedy=f"Name others with {RANGE_VARIABLE}."
            )
        chosen[name] = port
    return chosen


def _read_range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal() and 1024 <= int(first) < int(last) <= 65535):
        raise CannotStart(f"{RANGE_VARIABLE} is no range of ports", remedy=f"Set it to one such as {_RANGE}.")
    return int(first), int(last)


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
