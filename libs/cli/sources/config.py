"""What operators write of a source, and what the hub takes."""

from collections.abc import Mapping
from typing import Any

from libs.cli.checking import COUNT, DELAY, NUMBER, SECONDS, TEXT, TEXTS, WHOLE, Keys, read_checked

Body = dict[str, Any]
SHORTEST_S = 0.001
"""A delay of 0 is written so: to the API zero means the default."""


def read_config(text: str) -> Body:
    """The settings and secrets of ``--config``, as the API has them.

    Every unknown key and every value of another type is told by its pointer.
    """
    given = read_checked(text, _KEYS)
    body: Body = {"settings": {}, "secrets": {}}
    for name, value in given.items():
        _place(body, name, value)
    return body


def _place(body: Body, name: str, value: Any) -> None:
    if name in _SECRETS:
        body["secrets"][name] = value
    elif name == "interval_h":
        # The hub looks at no source more often than every second.
        body["settings"]["interval"] = seconds(max(1.0, value * 3600))
    else:
        body["settings"][_NAMES.get(name, name)] = _retry(value) if name == "retry" else value


_SECRETS = frozenset({"client_secret", "token", "api_key"})
_NAMES = {"workspace": "workspace_id", "destinations": "destination_ids", "region": "default_region"}
_RETRY = {"first_delay_s": "first_delay", "max_delay_s": "max_delay", "timeout_s": "timeout"}
_KEYS: Keys = {
    "retry": {"first_delay_s": DELAY, "max_delay_s": DELAY, "max_attempts": COUNT, "timeout_s": SECONDS},
    "max_pages": COUNT,
    "page_size": COUNT,
    "interval_h": NUMBER,
    "cron": TEXT,
    "rate": NUMBER,
    "fuse": {"share": NUMBER, "count": WHOLE},
    "token": TEXT,
    "enterprise_id": TEXT,
    "api_key": TEXT,
    "client_id": TEXT,
    "client_secret": TEXT,
    "name": TEXT,
    "workspace": TEXT,
    "destinations": TEXTS,
    "region": TEXT,
}


def _retry(given: Mapping[str, Any]) -> Body:
    retry: Body = {to: seconds(max(SHORTEST_S, given[name])) for name, to in _RETRY.items() if name in given}
    return retry | ({"max_attempts": given["max_attempts"]} if "max_attempts" in given else {})


def seconds(count: float) -> str:
    """A duration as JSON has it, to the millisecond."""
    return f"{count:.3f}".rstrip("0").rstrip(".") + "s"
