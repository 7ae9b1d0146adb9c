"""The nats-server beside the hub: its configuration, and the proof that it writes to disk before it confirms."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class BusUser:
    """A service's account on the server. It may do what is named here and nothing else."""

    name: str
    password: str = field(repr=False)
    publishes: tuple[str, ...] = ()
    """Subjects, such as `delivery.ticket`."""
    consumes: tuple[str, ...] = ()
    """Names of streams, such as `DELIVERY`."""


class NotSynchronous(Exception):
    """The server confirms messages that a power loss would take back."""

    def __init__(self, monitor_url: str, found: str) -> None:
        super().__init__(f"nats-server at {monitor_url} does not sync each write: {found}")
        self.monitor_url = monitor_url
        self.found = found


def render_nats_config(
    *,
    store_dir: Path,
    listen: str,
    monitor: str,
    users: Sequence[BusUser],
    max_file_store: int = 1024 * 1024 * 1024,
) -> str:
    """Return the text of nats-server.conf. It holds the passwords: write it with mode 0600.

    `listen` and `monitor` are `host:port`. `max_file_store` is in bytes and bounds the sum of all streams.
    """
    raise NotImplementedError


async def assert_synchronous(monitor_url: str) -> None:
    """Raise `NotSynchronous` unless the server at `monitor_url` (http://host:port) syncs before it confirms.

    Raises `BusUnavailable` when the server does not answer.
    """
    raise NotImplementedError
