"""An answer that names rows (207 Multi-Status, or a 200 of the same shape): services/delivery/README.md has the shapes.

What the receiver wrote about a row may hold contact data. So of its words only a code that is plainly a code is told.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from services.delivery.domain.answer import RETRYABLE, RowFailure
from services.delivery.domain.delivery import RowState

_LISTS = ("results", "items", "failed", "failures", "errors")
_FAILURE_LISTS = frozenset({"failed", "failures", "errors"})
_STATUS = ("status", "statusCode", "status_code", "state", "result")
_WORDS: Mapping[str, RowState] = {
    **dict.fromkeys(("ok", "success", "succeeded", "accepted", "taken", "sent", "done", "created"), RowState.CREATED),
    "updated": RowState.UPDATED,
    **dict.fromkeys(("unchanged", "duplicate", "exists"), RowState.UNCHANGED),
    **dict.fromkeys(("failed", "failure", "error", "invalid", "rejected"), RowState.FAILED),
    **dict.fromkeys(("retry", "retryable", "pending", "throttled", "deferred", "rate_limited"), RowState.PENDING),
}
_CODE = re.compile(r"[a-z]{2,24}(_[a-z]{2,24}){1,5}|[A-Z]{2,24}(_[A-Z]{2,24}){1,5}", re.ASCII)


class _Sent(msgspec.Struct, gc=False):
    phone: str = ""
    external_id: str = ""


_sent = msgspec.json.Decoder(list[_Sent])
_answer = msgspec.json.Decoder(dict[str, Any] | list[Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class RowWords:
    """What an answer says of the rows sent: a state for each, and why some failed."""

    states: bytes
    failures: tuple[RowFailure, ...]


class _UnreadableError(Exception):
    """An entry says something of a row that cannot be told apart, or something that is no state."""


def read_rows(body: bytes, contacts: bytes, *, count: int) -> RowWords | None:
    """Read what the answer says of each of the `count` contacts sent. A row that it does not name was taken.

    None: it does not name rows, or one of its entries cannot be understood.
    """
    try:
        entries, of_failures = _entries(_answer.decode(body))
        return _laid_out(entries, _Places(contacts, count), of_failures=of_failures)
    except (msgspec.DecodeError, RecursionError, _UnreadableError):
        return None


def _entries(answer: Mapping[str, Any] | list[Any]) -> tuple[Sequence[Any], bool]:
    if isinstance(answer, list):
        return answer, False
    for name in _LISTS:
        if isinstance(answer.get(name), list):
            return answer[name], name in _FAILURE_LISTS
    raise _UnreadableError


def _laid_out(entries: Sequence[Any], places: "_Places", *, of_failures: bool) -> RowWords:
    states, failures = bytearray([RowState.CREATED]) * places.count, []
    in_order = len(entries) == places.count and not of_failures
    for number, entry in enumerate(entries):
        state, reason = _read_entry(entry, of_failures=of_failures)
        for at in places.of(entry, number if in_order else None):
            states[at] = state
            if state is RowState.FAILED:
                failures.append(RowFailure(position=at, reason=reason))
    return RowWords(states=bytes(states), failures=tuple(failures))


def _read_entry(entry: Any, *, of_failures: bool) -> tuple[RowState, str]:
    if isinstance(entry, int | str) and of_failures:
        return RowState.FAILED, "The receiver refused this contact."
    if not isinstance(entry, dict):
        raise _UnreadableError
    state = _state(entry, of_failures=of_failures)
    if state is RowState.FAILED and entry.get("retry", entry.get("retryable")) is True:
        state = RowState.PENDING
    return state, _reason(entry)


def _state(entry: Mapping[str, Any], *, of_failures: bool) -> RowState:
    match _first(entry, *_STATUS):
        case bool():
            raise _UnreadableError
        case int(status):
            return _state_of(status)
        case str(word) if word.isdecimal():
            return _state_of(int(word))
        case str(word):
            return _named(word)
        case None if of_failures or entry.get("error") or _first(entry, "ok", "success") is False:
            return RowState.FAILED
        case None if _first(entry, "ok", "success") is True:
            return RowState.CREATED
        case _:
            raise _UnreadableError


def _named(word: str) -> RowState:
    state = _WORDS.get(word.strip().lower())
    if state is None:
        raise _UnreadableError
    return state


def _state_of(status: int) -> RowState:
    if 200 <= status < 300:
        return RowState.CREATED
    return RowState.PENDING if status in RETRYABLE or status >= 500 else RowState.FAILED


def _reason(entry: Mapping[str, Any]) -> str:
    status = _first(entry, *_STATUS)
    said = f" with {status}" if isinstance(status, int) else ""
    error = entry.get("error")
    code = entry.get("code") or (error.get("code") if isinstance(error, dict) else error)
    named = f" ({code})" if isinstance(code, str) and _CODE.fullmatch(code) else ""
    return f"The receiver refused this contact{said}{named}."


def _first(entry: Mapping[str, Any], *names: str) -> Any:
    return next((entry[name] for name in names if entry.get(name) is not None), None)


class _Places:
    """Which of the rows sent an entry is about."""

    def __init__(self, contacts: bytes, count: int) -> None:
        self.count = count
        self._contacts = contacts
        self._by: dict[str, dict[str, list[int]]] = {}

    def of(self, entry: Any, number: int | None) -> Sequence[int]:
        """Give the positions. One phone may be in several rows, and what is said of it holds for all."""
        if isinstance(entry, str):
            return (
                self._having("external_id", entry) if entry in self._index("external_id", str) else self._phoned(entry)
            )
        if isinstance(entry, int):
            return self._within(entry)
        if (at := _first(entry, "index", "position")) is not None:
            return self._within(at)
        if (external_id := _first(entry, "external_id", "externalId")) is not None:
            return self._having("external_id", external_id)
        return self._within(number) if entry.get("phone") is None else self._phoned(entry["phone"])

    def _phoned(self, phone: object) -> Sequence[int]:
        return self._having("phone", phone)

    def _within(self, at: object) -> Sequence[int]:
        if isinstance(at, bool) or not isinstance(at, int) or not 0 <= at < self.count:
            raise _UnreadableError
        return (at,)

    def _having(self, key: str, value: object) -> Sequence[int]:
        read: Callable[[str], str] = _bare if key == "phone" else str
        found = self._index(key, read).get(read(str(value)))
        if found is None:
            raise _UnreadableError
        return found

    def _index(self, key: str, read: Callable[[str], str]) -> Mapping[str, list[int]]:
        if key not in self._by:
            index: dict[str, list[int]] = {}
            for at, contact in enumerate(_sent.decode(self._contacts)):
                if value := getattr(contact, key):
                    index.setdefault(read(value), []).append(at)
            self._by[key] = index
        return self._by[key]


def _bare(phone: str) -> str:
    """A receiver may leave out the plus, and write separators."""
    return "".join(character for character in phone if character in "0123456789")
