"""A contact as the fields of a telecrm lead."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from services.delivery.sender.contacts import Contact
from services.delivery.sender.spelling import Known, known, squash
from services.delivery.sender.telecrm.workspace import EMAIL, PHONE, TAGS, Field, Workspace

_NUMBERS = frozenset({"number", "rating", "money", "date"})
_DIGITS = re.compile(r"\D", re.ASCII)
_FROM_CONTACT = (
    Known.PHONE,
    Known.EMAIL,
    Known.FIRST_NAME,
    Known.LAST_NAME,
    Known.FULL_NAME,
    Known.COMPANY,
    Known.TAGS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """What is written of a contact: `identifier` is its value of the field that identifies leads, empty for none."""

    identifier: str = field(repr=False)
    values: Mapping[str, Any] = field(repr=False)
    """By the workspace's own names, the identifier among them."""
    homeless: tuple[str, ...]
    """Names of what is known of the contact and for which the workspace has no field."""


def write_lead(contact: Contact, workspace: Workspace, field_map: Mapping[str, str]) -> Lead:
    """Fill the fields: first as the map says, then by name. A source that is mapped to "" is left out."""
    values: dict[str, Any] = {}
    homeless: list[str] = []
    for source, target in field_map.items():
        if target:
            _fill(values, workspace.named(target) or Field(name=target, kind="text"), contact.value(source))
    mapped = {squash(source.rpartition(".")[2]) for source in field_map} | set(map(known, field_map)) - {None}
    for name, value in _sources(contact, workspace):
        if squash(name) in mapped or known(name) in mapped:
            continue
        target_field = workspace.named(name)
        if target_field is not None:
            _fill(values, target_field, value)
        elif workspace.complete or isinstance(value, dict):
            homeless.append(name)
        else:
            kind = TAGS if isinstance(value, list) else "text"
            _fill(values, Field(name=contact.spelled(name), kind=kind), value)
    _identify(values, contact, workspace.identifier)
    identifier = str(values.get(workspace.identifier.name, "") or "")
    return Lead(identifier=identifier, values=values, homeless=(*homeless, *contact.further))


def _sources(contact: Contact, workspace: Workspace) -> Iterator[tuple[str, Any]]:
    """The full name goes where the workspace has one field for it; its parts, where it has fields for these."""
    parts = workspace.known(Known.FIRST_NAME), workspace.known(Known.LAST_NAME)
    has_whole = workspace.known(Known.FULL_NAME) is not None
    given = contact.knowns
    for what in _FROM_CONTACT:
        if what is Known.FULL_NAME and not has_whole and (any(parts) or Known.FIRST_NAME in given):
            continue
        if what in (Known.FIRST_NAME, Known.LAST_NAME) and has_whole and not any(parts):
            continue
        if what in given:
            yield what.value, given[what]
    yield from contact.others()


def _identify(values: dict[str, Any], contact: Contact, identifier: Field) -> None:
    if values.get(identifier.name):
        return
    match identifier.kind:
        case "phone":
            _fill(values, identifier, contact.text(Known.PHONE))
        case "email":
            _fill(values, identifier, contact.text(Known.EMAIL))
        case _:
            _fill(values, identifier, contact.own.get("external_id"))


def _fill(values: dict[str, Any], target: Field, value: Any) -> None:
    """What is empty is not sent: a contact that does not tell a value must not blank it."""
    written = _written(value, target.kind)
    if written not in (None, "", []):
        values.setdefault(target.name, written)


def _written(value: Any, kind: str) -> Any:
    """Return the value in the form of the field's type; one that the type cannot take goes as it is, to be refused."""
    if kind == TAGS:
        items = value if isinstance(value, list) else [value]
        return [str(item).strip() for item in items if item not in (None, "")]
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    if isinstance(value, str):
        return _read_text(value.strip(), kind)
    if isinstance(value, bool):
        return str(value).lower()
    is_number = isinstance(value, int | float) and kind not in ("number", "rating", "date")
    return str(value) if is_number else value


def _read_text(text: str, kind: str) -> Any:
    match kind:
        case "date":
            return _epoch_ms(text)
        case "number" | "rating":
            return _number(text)
        case _:
            return text


def _number(text: str) -> Any:
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() else number


def _epoch_ms(text: str) -> Any:
    if text.isdecimal():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def searched(identifier: Field, value: str) -> Sequence[str] | str:
    """Return what to search a lead by. A phone is searched with its plus and without: stored leads have either."""
    if identifier.kind == PHONE:
        return [value, _DIGITS.sub("", value)]
    return value


def is_same_identifier(identifier: Field, ours: str, theirs: Any) -> bool:
    """Tell whether a lead that a search gave is the one: the country code may be missing on either side."""
    if identifier.kind == PHONE:
        one, other = _DIGITS.sub("", ours), _DIGITS.sub("", str(theirs or ""))
        return len(other) >= 7 and (one.endswith(other) or other.endswith(one))
    return ours.strip().casefold() == str(theirs or "").strip().casefold()


def differing(lead: Lead, workspace: Workspace, stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an update has to write. Tags are added to those that are there; what is fixed is left alone."""
    changes: dict[str, Any] = {}
    for name, value in lead.values.items():
        target = workspace.fields.get(squash(name)) or Field(name=name, kind="text")
        there = stored.get(name)
        if name == workspace.identifier.name or (target.fixed and there not in (None, "")):
            continue
        wanted = _joined(value, there) if target.kind == TAGS or isinstance(value, list) else value
        if not _is_same(target.kind, wanted, there):
            changes[name] = wanted
    return changes


def _joined(ours: Sequence[Any], theirs: Any) -> list[Any]:
    there = list(theirs) if isinstance(theirs, list) else [theirs] if theirs else []
    known_tags = {str(tag).casefold() for tag in there}
    return there + [tag for tag in ours if str(tag).casefold() not in known_tags]


def _is_same(kind: str, ours: Any, theirs: Any) -> bool:
    if theirs is None:
        return False
    if kind == PHONE:
        return _DIGITS.sub("", str(ours)) == _DIGITS.sub("", str(theirs))
    if kind == EMAIL:
        return str(ours).casefold() == str(theirs).casefold()
    if kind in _NUMBERS:
        return bool(_number(str(ours)) == _number(str(theirs)))
    return bool(ours == theirs) if isinstance(ours, list) else str(ours) == str(theirs)
