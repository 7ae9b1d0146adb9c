"""How operators write when a call is tried again, and how the API has it."""

from collections.abc import Mapping
from typing import Any

from libs.cli.checking import COUNT, DELAY, SECONDS, Keys

RETRY_KEYS: Keys = {"first_delay_s": DELAY, "max_delay_s": DELAY, "max_attempts": COUNT, "timeout_s": SECONDS}
_SPANS = {"first_delay_s": "first_delay", "max_delay_s": "max_delay", "timeout_s": "timeout"}
_SHORTEST_S = 0.001
"""A delay of 0 is written so: to the API zero means the default."""


def read_retry(given: Mapping[str, Any]) -> dict[str, Any]:
    """What has the keys above, as the API has it."""
    retry: dict[str, Any] = {to: seconds(max(given[name], _SHORTEST_S)) for name, to in _SPANS.items() if name in given}
    return retry | ({"max_attempts": given["max_attempts"]} if "max_attempts" in given else {})


def seconds(count: float) -> str:
    """A duration as JSON has it."""
    return f"{count:.9f}".rstrip("0").rstrip(".") + "s"
