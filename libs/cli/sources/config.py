"""What operators write of a source, and what the hub takes."""

from typing import Any

from libs.cli.checking import COUNT, HOURS, NUMBER, TEXT, TEXTS, WHOLE, Keys, read_checked
from libs.cli.retries import RETRY_KEYS, read_retry, seconds

Body = dict[str, Any]


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
        body["settings"][_NAMES.get(name, name)] = read_retry(value) if name == "retry" else value


_SECRETS = frozenset({"client_secret", "token", "api_key"})
_NAMES = {"workspace": "workspace_id", "destinations": "destination_ids", "region": "default_region"}
_KEYS: Keys = {
    "retry": RETRY_KEYS,
    "max_pages": COUNT,
    "page_size": COUNT,
    "interval_h": HOURS,
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
