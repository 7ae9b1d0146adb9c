"""Searches as they are given."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from services.directory.domain.action import PAYMENT, ActionFilter
from services.directory.domain.contact import Identity
from services.directory.domain.fields import EMAIL, CustomField, FieldType
from services.directory.domain.identity import email_identity, phone_identity
from services.directory.domain.leads import AnyOf, LeadQuery
from services.directory.domain.telecrm.actions import PREFIX
from services.directory.domain.telecrm.moments import end_of_millisecond, read_moment, to_millis, written_forms
from services.directory.domain.telecrm.paging import Paging
from services.directory.domain.telecrm.refusals import BadRequestError, shown
from services.directory.domain.telecrm.values import Facts, digits_of
from services.directory.domain.terms import BY_IDENTITY, Term, searched_text, term_of
from services.directory.domain.workspace import Workspace

CREATED_ON: Final = "created_on"
_INVALID = "Invalid filter"
_TYPE = re.compile(r"[A-Za-z0-9_]{1,64}", re.ASCII)
_MOST_VALUES = 1000

Range = tuple[datetime | None, datetime | None]


def read_lead_search(body: Mapping[str, object], workspace: Workspace, facts: Facts, paging: Paging) -> LeadQuery:
    """What is asked for. Raises BadRequestError."""
    fields, actions = _object(body.get("fields", {})), _object(body.get("actions", {}))
    since, until = _range(fields.get(CREATED_ON, {}))
    return LeadQuery(
        all_of=tuple(
            _any_of(name, _values(value), workspace, facts) for name, value in fields.items() if name != CREATED_ON
        ),
        created_from=since,
        created_to=until,
        actions=_filter(actions, "performed_at") if actions else None,
        skip=paging.skip,
        limit=paging.limit,
    )


def read_action_search(body: Mapping[str, object]) -> ActionFilter:
    """What is asked for. Raises BadRequestError."""
    return _filter(body, CREATED_ON)


def searched_texts(body: Mapping[str, object]) -> Mapping[str, object]:
    """The fields of a search as far as they can be looked up."""
    fields = body.get("fields")
    return fields if isinstance(fields, dict) else {}


def _filter(given: Mapping[str, object], time: str) -> ActionFilter:
    since, until = _range(given.get(time, {}))
    return ActionFilter(
        types=tuple(_type(each) for each in _values(given["type"])) if "type" in given else (),
        performers=tuple(_performer(each) for each in _values(given["performed_by"]))
        if "performed_by" in given
        else (),
        since=since,
        until=until,
    )


def _type(value: object) -> str:
    """As actions are kept. One that the vendor records itself is none of ours, and finds nothing."""
    if not isinstance(value, str) or not _TYPE.fullmatch(value):
        raise BadRequestError(_INVALID)
    kind = value.upper()
    return PREFIX + kind if kind.isdigit() else kind if kind == PAYMENT else f"other {kind}"


def _performer(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise BadRequestError(_INVALID)
    return value.strip()


def _object(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise BadRequestError(_INVALID)
    return value


def _values(value: object) -> list[object]:
    values = value if isinstance(value, list) else [value]
    if len(values) > _MOST_VALUES:
        raise BadRequestError(f"A filter may have at most {_MOST_VALUES} values")
    return values


def _range(value: object) -> Range:
    given = _object(value)
    since, until = _bound(given, "from"), _bound(given, "to")
    return since, None if until is None else end_of_millisecond(until)


def _bound(given: Mapping[str, object], name: str) -> datetime | None:
    if name not in given:
        return None
    moment = read_moment(given[name], end_of_day=name == "to")
    if moment is None:
        raise BadRequestError(_INVALID)
    return moment


def _any_of(name: str, values: list[object], workspace: Workspace, facts: Facts) -> AnyOf:
    field = workspace.fields.find(name)
    if field is None:
        raise BadRequestError(f"Unknown field {shown(name)}")
    if not all(isinstance(value, str | int | float) for value in values):
        raise BadRequestError(_INVALID)
    own = workspace.own_name(name)
    if own in BY_IDENTITY:
        return AnyOf(identities=frozenset(found for value in values if (found := _identity(own, value, facts))))
    return AnyOf(terms=frozenset(term for value in values for term in _terms(field, value, workspace, facts)))


def _identity(name: str, value: object, facts: Facts) -> Identity | None:
    if name == EMAIL:
        return email_identity(str(value).strip())
    e164 = facts.phones.get(str(value), "")
    return phone_identity(e164) if e164 else None


def _terms(field: CustomField, value: object, workspace: Workspace, facts: Facts) -> Iterator[Term]:
    asked = [value]
    if field.type is FieldType.PHONE:
        asked = [digits_of(facts.phones.get(str(value), "")) or value]
    if field.type is FieldType.DATE and (moment := read_moment(value)) is not None:
        asked = [to_millis(moment), *written_forms(moment)]
    for each in asked:
        yield term_of(workspace.workspace_id, field.api_name, searched_text(each, field.type))
