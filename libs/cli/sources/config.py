"""What operators write of a source, and what the hub takes."""

import json
from collections.abc import Mapping
from typing import Any

import typer

Body = dict[str, Any]


def read_config(text: str) -> Body:
    """The settings and secrets of ``--config``, as the API has them; an unknown key is told, not passed over."""
    try:
        given = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"not JSON: {error}", param_hint="--config") from None
    if not isinstance(given, dict):
        raise typer.BadParameter("a JSON object is needed", param_hint="--config")
    body: Body = {"settings": {}, "secrets": {}}
    for name, value in given.items():
        _place(body, name, value)
    return body


def _place(body: Body, name: str, value: Any) -> None:
    if name in _SECRETS:
        body["secrets"][name] = value
    elif name in _PLAIN:
        body["settings"][_PLAIN[name]] = value
    elif name == "interval_h":
        # The hub looks at no source more often than every second.
        body["settings"]["interval"] = seconds(max(1.0, float(value) * 3600))
    elif name == "retry":
        body["settings"]["retry"] = _retry(value)
    else:
        known = ", ".join(sorted([*_SECRETS, *_PLAIN, "interval_h", "retry"]))
        raise typer.BadParameter(f"{name} is no key of it; there are {known}", param_hint="--config")


_SECRETS = frozenset({"client_secret", "token", "api_key"})
_PLAIN = {
    "name": "name",
    "client_id": "client_id",
    "enterprise_id": "enterprise_id",
    "workspace": "workspace_id",
    "destinations": "destination_ids",
    "region": "default_region",
    "cron": "cron",
    "page_size": "page_size",
    "max_pages": "max_pages",
    "rate": "rate",
    "fuse": "fuse",
}
_RETRY = {"first_delay_s": "first_delay", "max_delay_s": "max_delay", "timeout_s": "timeout"}


def _retry(given: Mapping[str, Any]) -> Body:
    retry: Body = {to: seconds(float(given[name])) for name, to in _RETRY.items() if name in given}
    if "max_attempts" in given:
        retry["max_attempts"] = given["max_attempts"]
    if unknown := set(given) - {*_RETRY, "max_attempts"}:
        raise typer.BadParameter(f"retry has no {', '.join(sorted(unknown))}", param_hint="--config")
    return retry


def seconds(count: float) -> str:
    """A duration as JSON has it, to the millisecond."""
    return f"{count:.3f}".rstrip("0").rstrip(".") + "s"
