"""A page of leads (telecrm-sync-api.txt, POST /lead/search), documented and as live workspaces answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard

import msgspec

from services.source_polling.domain.record import ContactType, ExternalId, Labeled, Skip, SourceRecord
from services.source_polling.fetcher.document import NOT_JSON, external_id, may_hold_nul, mend, unfit_extra
from services.source_polling.fetcher.spelling import Place, meaning

_IDS = ("id", "_id", "leadId", "lead_id")
_MOVING = frozenset({"modified_on", "modifiedon", "updated_on", "last_activity", "last_activity_on"})
"""Fields that change by themselves."""


class _Found(msgspec.Struct, gc=False):
    data: list[dict[str, object]]
    total_count: int | None = None


_decode = msgspec.json.Decoder(_Found).decode


@dataclass(frozen=True, slots=True, repr=False)
class Lead:
    """A row, and when it was made in milliseconds; None: it does not tell."""

    read: SourceRecord | Skip
    created: int | None


@dataclass(frozen=True, slots=True, repr=False)
class Leads:
    """What a page says."""

    rows: tuple[Lead, ...]
    total: int | None
    """Of all that meet the search. None: it does not tell."""


def read_leads(body: bytes) -> Leads | None:
    """Read the answer. None: it is no page of leads."""
    try:
        found = _decode(body)
    except NOT_JSON:
        try:
            found = _decode(mend(body))
        except NOT_JSON:
            return None
    nul = may_hold_nul(body)
    return Leads(tuple(Lead(_judge_row(row, may_hold_nul=nul), _created(row)) for row in found.data), found.total_count)


def _created(row: Mapping[str, object]) -> int | None:
    at = _fields(row).get("created_on", row.get("created_on"))
    return at if isinstance(at, int) and not isinstance(at, bool) else None


def _fields(row: Mapping[str, object]) -> Mapping[str, object]:
    fields = row.get("fields")
    return fields if isinstance(fields, dict) else {}


def _judge_row(row: Mapping[str, object], *, may_hold_nul: bool) -> SourceRecord | Skip:
    fields = _fields(row)
    sorted_out = _sort_out(fields)
    known_as = _id_of(row, fields, sorted_out)
    if known_as is None:
        return Skip(ExternalId(""), "It has no id, no phone and no e-mail address.")
    status = row.get("status")
    if isinstance(status, str) and status:
        sorted_out.extra["status"] = status
    record = sorted_out.record(known_as)
    return unfit_extra(record, may_hold_nul=may_hold_nul) or record


def _id_of(row: Mapping[str, object], fields: Mapping[str, object], found: "_Sorted") -> ExternalId | None:
    """Live rows carry an id. The documented ones do not: then the lead's phone or e-mail address is its name."""
    for name in _IDS:
        known_as = external_id(row.get(name)) or external_id(fields.get(name))
        if known_as is not None:
            return known_as
    for kind, values in (("phone", found.phones), ("email", found.emails)):
        if values:
            return external_id(f"{kind}:{values[0].value}")
    return None


class _Sorted:
    """The fields of a lead, each in its place."""

    def __init__(self) -> None:
        self.phones: list[Labeled] = []
        self.emails: list[Labeled] = []
        self.names: dict[Place, str] = {}
        self.tags: tuple[str, ...] = ()
        self.extra: dict[str, object] = {}

    def take(self, name: str, value: object) -> None:
        """Put a field where it belongs; where its value does not fit there, among the rest."""
        means = meaning(name)
        match means.place:
            case Place.PHONE | Place.EMAIL if isinstance(value, str | int) and not isinstance(value, bool):
                values = self.phones if means.place is Place.PHONE else self.emails
                values.insert(0 if means.main else len(values), Labeled(str(value), means.label))
            case Place.FIRST_NAME | Place.LAST_NAME | Place.COMPANY if isinstance(value, str):
                self.names.setdefault(means.place, value.strip())
            case Place.TAGS if _is_tags(value):
                self.tags = tuple(value)
            case _:
                self.extra[name] = value

    def record(self, known_as: ExternalId) -> SourceRecord:
        """Give the record."""
        return SourceRecord(
            external_id=known_as,
            first_name=self.names.get(Place.FIRST_NAME, ""),
            last_name=self.names.get(Place.LAST_NAME, ""),
            company=self.names.get(Place.COMPANY, ""),
            type=ContactType.LEAD,
            phones=tuple(self.phones),
            emails=tuple(self.emails),
            tags=self.tags,
            extra=self.extra,
        )


def _sort_out(fields: Mapping[str, object]) -> _Sorted:
    found = _Sorted()
    for name, value in fields.items():
        if value not in (None, "") and name.casefold() not in _MOVING and name not in _IDS:
            found.take(name, value)
    return found


def _is_tags(value: object) -> TypeGuard[Sequence[str]]:
    return (
        isinstance(value, list)
        and len(value) <= 100
        and all(isinstance(each, str) and len(each) <= 256 for each in value)
    )
