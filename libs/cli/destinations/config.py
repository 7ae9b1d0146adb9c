"""What operators write of a destination in ``--config``, and what the hub takes."""

from collections.abc import Mapping
from typing import Any

from libs.cli.checking import COUNT, DELAY, MAP, NUMBER, SECONDS, STATUSES, TEXT, TEXTS, TRUTH, WHOLE, read_checked

Body = dict[str, Any]
SHORTEST_S = 0.001
"""A delay of 0 is written so: to the API zero means the default."""


def read_config(text: str) -> Body:
    """The settings as the API has them. Every unknown key and every value of another type is told by its pointer."""
    given = read_checked(text, _KEYS)
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


def _retry(given: Mapping[str, Any]) -> Body:
    spans = {"first_delay_s": "first_delay", "max_delay_s": "max_delay", "timeout_s": "timeout"}
    retry: Body = {to: seconds(max(given[name], SHORTEST_S)) for name, to in spans.items() if name in given}
    return retry | ({"max_attempts": given["max_attempts"]} if "max_attempts" in given else {})


_KEYS: Mapping[str, Any] = {
    "retry": {"first_delay_s": DELAY, "max_delay_s": DELAY, "max_attempts": COUNT, "timeout_s": SECONDS},
    "token": TEXT,
    "enterprise_id": TEXT,
    "api_key": TEXT,
    "secret": TEXT,
    "fields": MAP,
    "chunk_size": WHOLE,
    "concurrency": WHOLE,
    "rate": NUMBER,
    "headers": MAP,
    "tags": {"any_of": TEXTS, "none_of": TEXTS},
    "success": {"statuses": STATUSES, "body_field": TEXT, "body_equals": TEXT},
    "idempotent": TRUTH,
    "lead_status": TEXT,
}
