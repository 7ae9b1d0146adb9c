"""What telecrm's answers say of a lead beyond their status: a 201 is not success by itself."""

import re
from collections.abc import Container, Iterable, Sequence
from typing import Any

from services.delivery.sender.api import Said, member

_IDS = ("lead_id", "leadId", "id", "_id")
_TAKEN = frozenset({"CREATED", "UPDATED", "ACCEPTED", "OK", "SUCCESS"})
_NAME = re.compile(r"[^\W\d][\w.\[\] -]{0,63}")
_ACTION = re.compile(r"actions\[\d+\](\.[a-z_.]{1,64})?$", re.ASCII)
MOST_NAMES = 10
UNTOLD = "?"
"""Stands for a name that is not told."""


def lead_id(data: Any) -> str:
    """Give the id of a lead as any of telecrm's answers carries it. Empty: there is none."""
    found = member(data, *_IDS) or member(member(data, "lead", "data"), *_IDS) or member(member(data, "fields"), *_IDS)
    return str(found) if isinstance(found, str | int) else ""


def error_code(answer: Said) -> str:
    """Give the code of an error's envelope. Empty: it has none that is one."""
    code = member(answer.member("error"), "code") or answer.member("code")
    return code if isinstance(code, str) and re.fullmatch(r"[A-Z_]{3,40}", code) else ""


def ignored(answer: Said, sent: Container[str]) -> Sequence[str]:
    """Give the names of fields and actions that were left out. One that was not sent may be a value: it is not told."""
    said = [_bare(each.get("field")) for each in _objects(answer.member("remarks")) if not _is_taken(each)]
    names = [name if name in sent or _ACTION.match(name) else UNTOLD for name in said if name]
    for number, action in enumerate(_objects(answer.member("actions"))):
        if str(action.get("status") or "").upper() == "IGNORED":
            names.append(f"actions[{number}]")
    return list(dict.fromkeys(name for name in names if name))


def blamed(answer: Said, names: Iterable[str]) -> Sequence[str]:
    """Give those of the fields sent that an error speaks of."""
    error = answer.member("error")
    details = [_bare(member(each, "field", "path")) for each in _objects(member(error, "details", "errors"))]
    message = str(member(error, "message") or "")
    words = {word.casefold() for word in re.split(r"[^\w-]+", message)}
    return [name for name in names if name in details or name.casefold() in words]


def listed(names: Sequence[str]) -> str:
    """Write names for a sentence. One that is no name, but perhaps a value, is left out."""
    plain = [name for name in names if _NAME.fullmatch(name)]
    more = len(names) - len(plain[:MOST_NAMES])
    return ", ".join(plain[:MOST_NAMES] + ([f"{more} more"] if more else []))


def _bare(name: Any) -> str:
    return name.removeprefix("fields.") if isinstance(name, str) else ""


def _is_taken(remark: dict[str, Any]) -> bool:
    return str(remark.get("status") or "IGNORED").upper() in _TAKEN


def _objects(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
