"""What operators write of a destination in ``--config``, and what the hub takes."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import typer

Body = dict[str, Any]
SHORTEST_S = 0.001
"""A delay of 0 is written so: to the API zero means the default."""
Check = Callable[[Any], bool]


def read_config(text: str) -> Body:
    """The settings as the API has them. Every unknown key and every value of another type is told by its pointer."""
    try:
        given = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"not JSON: {error}", param_hint="--config") from None
    if not isinstance(given, dict):
        raise typer.BadParameter("a JSON object is needed", param_hint="--config")
    faults = list(_faults(given, _KEYS))
    if faults:
        raise typer.BadParameter("; ".join(faults), param_hint="--config")
    body = {name: value for name, value in given.items() if name != "retry"}
    return body | ({"retry": _retry(given["retry"])} if "retry" in given else {})


def emptied(body: Body) -> Body:
    """The same for a change: what is given as {} goes back to its default, since an empty map says nothing there."""
    reset = [name for name in ("headers", "fields", "tags", "success") if body.get(name) == {}]
    kept = {name: value for name, value in body.items() if name not in reset}
    return kept | ({"reset": reset} if reset else {})


def seconds(count: float) -> str:
    """A duration as JSON has it."""
    return f"{count:.9f}".rstrip("0").rstrip(".") + "s"


def _faults(given: Mapping[str, Any], keys: Mapping[str, Any], at: str = "") -> list[str]:
    faults: list[str] = []
    for name, value in given.items():
        pointer, wanted = f"{at}/{name}", keys.get(name)
        if wanted is None:
            faults.append(f"{pointer}: is no key of it; there are {', '.join(keys)}")
        elif isinstance(wanted, Mapping):
            is_object = isinstance(value, dict)
            faults += _faults(value, wanted, pointer) if is_object else [f"{pointer}: must be an object"]
        elif not wanted[1](value):
            faults.append(f"{pointer}: must be {wanted[0]}")
    return faults


def _retry(given: Mapping[str, Any]) -> Body:
    spans = {"first_delay_s": "first_delay", "max_delay_s": "max_delay", "timeout_s": "timeout"}
    retry: Body = {to: seconds(max(given[name], SHORTEST_S)) for name, to in spans.items() if name in given}
    return retry | ({"max_attempts": given["max_attempts"]} if "max_attempts" in given else {})


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _is_map(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())


_TEXT = ("a text", lambda value: isinstance(value, str))
_TRUTH = ("true or false", lambda value: isinstance(value, bool))
_NUMBER, _WHOLE = ("a number", _is_number), ("a whole number", _is_whole)
_COUNT = ("a whole number, from 1", lambda value: _is_whole(value) and value >= 1)
_SECONDS = ("a number of seconds, above 0", lambda value: _is_number(value) and value > 0)
_DELAY = ("a number of seconds, from 0", lambda value: _is_number(value) and value >= 0)
_MAP, _TEXTS = ("an object of texts", _is_map), ("a list of texts", _is_texts)
_STATUSES = ("a list of whole numbers", lambda value: isinstance(value, list) and all(map(_is_whole, value)))
_KEYS: Mapping[str, Any] = {
    "retry": {"first_delay_s": _DELAY, "max_delay_s": _DELAY, "max_attempts": _COUNT, "timeout_s": _SECONDS},
    "token": _TEXT,
    "enterprise_id": _TEXT,
    "api_key": _TEXT,
    "secret": _TEXT,
    "fields": _MAP,
    "chunk_size": _WHOLE,
    "concurrency": _WHOLE,
    "rate": _NUMBER,
    "headers": _MAP,
    "tags": {"any_of": _TEXTS, "none_of": _TEXTS},
    "success": {"statuses": _STATUSES, "body_field": _TEXT, "body_equals": _TEXT},
    "idempotent": _TRUTH,
    "lead_status": _TEXT,
}
