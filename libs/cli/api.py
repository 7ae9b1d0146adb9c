"""The hub's REST API as the subcommands use it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import httpx
import stamina

from libs.cli.stack.folder import DataFolder

DEFAULT_DATA = Path("contactsync-data")
Role = Literal["admin", "client"]
_PATIENT = {429, 502, 503, 504}
_PATIENCE_S = 30.0
# Else it tells of every retry on standard output, in the middle of what --json prints.
stamina.instrumentation.set_on_retry_hooks([])


class ApiError(Exception):
    """The hub refused a call. ``code`` and ``message`` are its own words; ``details`` names what was wrong where."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(body.get("error", "error"))
        self.message = str(body.get("message", ""))
        self.details: list[dict[str, Any]] = list(body.get("details") or [])
        super().__init__(f"{self.code} ({status}): {self.message}")


class NoHub(Exception):
    """No hub was found, or none answers; the text says what to do."""


class _TryAgain(Exception):
    """The hub asked for patience, or did not answer a call that may be repeated."""

    def __init__(self, response: httpx.Response | None) -> None:
        self.response = response
        super().__init__("try again")


class Api:
    """Calls to one hub with one key.

    Every call here may be repeated, and is, for up to ``patience_s`` seconds; one alone may last twice as long.
    """

    def __init__(self, url: str, key: str, *, patience_s: float = _PATIENCE_S) -> None:
        self._client = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=2 * patience_s, trust_env=False
        )
        self.url = url
        self._patience_s = patience_s

    def call(
        self, verb: str, path: str, *, body: Any = None, headers: Mapping[str, str] | None = None, **query: Any
    ) -> Any:
        """The answer's JSON. Raises ApiError for a refusal, NoHub when nothing answers."""
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        return answer_of(self.send(verb, path, content=content, headers=headers, query=query))

    def send(
        self,
        verb: str,
        path: str,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        """The answer as it came, after as many tries as patience allows; the last one's when all were asked to wait."""
        wanted = {name: value for name, value in (query or {}).items() if value not in ("", None)}
        media = {"Content-Type": "application/json"} if content is not None else {}
        try:
            for attempt in stamina.retry_context(
                on=_back_off, attempts=None, timeout=self._patience_s, wait_initial=0.1, wait_max=2.0
            ):
                with attempt:
                    return self._once(verb, path, content, media | dict(headers or {}), wanted)
        except _TryAgain as error:
            if error.response is not None:
                return error.response
        raise NoHub(f"nothing answers at {self.url}; is the hub up?")

    def _once(
        self, verb: str, path: str, content: bytes | None, headers: Mapping[str, str], query: Mapping[str, Any]
    ) -> httpx.Response:
        try:
            response = self._client.request(verb, path, content=content, headers=headers, params=query)
        except httpx.TransportError as error:
            raise _TryAgain(None) from error
        if response.status_code in _PATIENT or (
            response.status_code == httpx.codes.CONFLICT and "retry-after" in response.headers
        ):
            raise _TryAgain(response)
        return response

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()


def _back_off(error: Exception) -> bool | float:
    if not isinstance(error, _TryAgain):
        return False
    after = error.response.headers.get("retry-after", "") if error.response is not None else ""
    return float(after) if after.isdigit() else True


def answer_of(response: httpx.Response) -> Any:
    """The answer's JSON. Raises ApiError for a refusal, NoHub when no hub would say that."""
    if not response.is_success:
        raise ApiError(response.status_code, _envelope(response))
    try:
        return response.json()
    except ValueError:
        raise NoHub(f"what answers at {response.url.copy_with(path='/', query=None)} is no hub") from None


def _envelope(response: httpx.Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {"message": response.text[:200]}
    return body if isinstance(body, dict) else {}


def segment(text: str) -> str:
    """A text as one segment of a path."""
    return quote(text, safe="")


def running_hub_of(data: Path | None) -> tuple[DataFolder, dict[str, Any]]:
    """The data folder, and what the hub that runs on it says of itself. Raises NoHub when none does."""
    folder = DataFolder((data or DEFAULT_DATA).resolve())
    facts = folder.read_run_facts()
    if not facts or not folder.is_held():  # one that was killed leaves its facts behind
        raise NoHub(f"no hub runs on {folder.root}; start one with: contactsync up --data {folder.root}")
    return folder, facts


def key_of(folder: DataFolder, role: Role) -> str:
    """The API key that the hub's first start wrote. Raises NoHub when it is not there."""
    try:
        return str(json.loads(folder.credentials.read_text())[role]["api_key"])
    except (OSError, ValueError, LookupError):
        raise NoHub(
            f"{folder.credentials} has no key that can be read; put it back, or give a key of the hub with --key"
        ) from None


def connect(data: Path | None, url: str, key: str, *, role: Role, patience_s: float = _PATIENCE_S) -> Api:
    """The hub that the options name: ``--url`` with ``--key``, or the one that runs on the data folder."""
    if url:
        if not key:
            raise NoHub("--url needs --key: a key of the hub at that address")
        if not url.startswith(("http://", "https://")):
            raise NoHub(f"{url} is no address of a hub; write http://host:port or https://host")
        return Api(url.rstrip("/"), key, patience_s=patience_s)
    folder, facts = running_hub_of(data)
    return Api(str(facts["url"]), key or key_of(folder, role), patience_s=patience_s)
