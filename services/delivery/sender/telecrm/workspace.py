"""What a telecrm workspace calls its fields, and which of them identifies a lead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from libs.egress import Unanswered
from services.delivery.ports import Clock
from services.delivery.sender.api import Api, Said, member
from services.delivery.sender.part import Trouble, trouble_of
from services.delivery.sender.spelling import Known, known, squash, words

REMEMBERED = timedelta(minutes=5)
"""How late a new field of the workspace is noticed."""
PHONE, EMAIL, TAGS = "phone", "email", "tags"
_NOT_THERE = frozenset({404, 405, 501})


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of leads. `kind` is its type in lower case; `fixed`: once written it stays as it is."""

    name: str
    kind: str
    fixed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """The fields. `complete`: there are no others."""

    fields: Mapping[str, Field]
    """By squashed name."""
    identifier: Field
    complete: bool

    def named(self, name: str) -> Field | None:
        """Give the field that is called so, in any spelling, or by a synonym where it is a known one."""
        if (field := self.fields.get(squash(name))) is not None:
            return field
        what = known(name)
        return None if what is None else self.known(what)

    def known(self, what: Known) -> Field | None:
        """Give the field for a known one: by name, else by type where only one is of that type."""
        for word in words(what):
            if word in self.fields:
                return self.fields[word]
        kind = {Known.PHONE: PHONE, Known.EMAIL: EMAIL, Known.TAGS: TAGS}.get(what)
        alike = [field for field in self.fields.values() if field.kind == kind]
        return alike[0] if len(alike) == 1 else None


DEFAULT_IDENTIFIER = Field(name="phone", kind=PHONE, fixed=True)
UNKNOWN_WORKSPACE = Workspace(fields={PHONE: DEFAULT_IDENTIFIER}, identifier=DEFAULT_IDENTIFIER, complete=False)
"""Of a workspace that does not tell its fields: telecrm's default identifier, and what is sent decides the rest."""


class Workspaces:
    """Asks each workspace for its fields, and remembers them for a while."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[tuple[str, ...], tuple[datetime, Workspace]] = {}

    async def ask(self, api: Api, *key: str) -> Workspace | Trouble:
        """Give the workspace that `key` stands for."""
        now = self._clock.now()
        at, workspace = self._known.get(key, (now, None))
        if workspace is not None and now - at < REMEMBERED:
            return workspace
        asked = await _ask(api)
        if isinstance(asked, Workspace):
            self._known[key] = (now, asked)
        return asked


async def _ask(api: Api) -> Workspace | Trouble:
    answer = await api.ask("GET", "/custom-fields")
    if isinstance(answer, Said) and answer.status in _NOT_THERE and _code(answer) != "ENTERPRISE_NOT_FOUND":
        return UNKNOWN_WORKSPACE
    listed = _listed(answer)
    if listed is None:
        return _unasked(answer)
    fields = {squash(field.name): field for field in map(_read_field, listed) if field.name}
    identifier = next((_read_field(each) for each in listed if each.get("isLeadid") is True), None)
    if identifier is not None and identifier.name:
        return Workspace(fields=fields, identifier=identifier, complete=True)
    return await _ask_metadata(api, fields, listed)


async def _ask_metadata(
    api: Api, fields: Mapping[str, Field], listed: Sequence[Mapping[str, Any]]
) -> Workspace | Trouble:
    """Where no field says that it is the identifier, the workspace itself may."""
    answer = await api.ask("GET", "/metadata")
    if isinstance(answer, Unanswered) or (answer.status not in _NOT_THERE and answer.status != 200):
        return _unasked(answer)
    named = answer.member("leadIdentifierFieldId")
    found = next((each for each in listed if named in (each.get("id"), each.get("apiName"))), None) if named else None
    identifier = DEFAULT_IDENTIFIER if found is None else _read_field(found)
    return Workspace(fields={squash(identifier.name): identifier} | dict(fields), identifier=identifier, complete=False)


def _listed(answer: Said | Unanswered) -> Sequence[Mapping[str, Any]] | None:
    if isinstance(answer, Unanswered) or answer.status != 200:
        return None
    listed = answer.data if isinstance(answer.data, list) else answer.member("customFields", "data")
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else None


def _read_field(each: Mapping[str, Any]) -> Field:
    return Field(
        name=str(member(each, "apiName", "api_name", "name") or ""),
        kind=str(each.get("type") or "text").lower(),
        fixed=each.get("lockAfterCreate") is True,
    )


def _code(answer: Said) -> str:
    return str(member(answer.member("error"), "code") or "")


def _unasked(answer: Said | Unanswered) -> Trouble:
    """Without the fields nothing can be sent, whatever the contacts are: nothing of them has arrived either."""
    if isinstance(answer, Said):
        return trouble_of(answer, wrote=False, by_destination=not answer.is_passing)
    return Trouble(message=answer.message, wrote=False, ends_part=True)
