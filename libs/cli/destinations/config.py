"""What operators write of a destination in ``--config``, and what the hub takes."""

from typing import Any

from libs.cli.checking import MAP, NUMBER, STATUSES, TEXT, TEXTS, TRUTH, WHOLE, Keys, read_checked
from libs.cli.retries import RETRY_KEYS, read_retry

Body = dict[str, Any]


def read_config(text: str) -> Body:
    """The settings as the API has them. Every unknown key and every value of another type is told by its pointer."""
    given = read_checked(text, _KEYS)
    body = {name: value for name, value in given.items() if name != "retry"}
    return body | ({"retry": read_retry(given["retry"])} if "retry" in given else {})


def emptied(body: Body) -> Body:
    """The same for a change: what is given as {} goes back to its default, since an empty map says nothing there."""
    reset = [name for name in ("headers", "fields", "tags", "success") if body.get(name) == {}]
    kept = {name: value for name, value in body.items() if name not in reset}
    return kept | ({"reset": reset} if reset else {})


_KEYS: Keys = {
    "retry": RETRY_KEYS,
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
