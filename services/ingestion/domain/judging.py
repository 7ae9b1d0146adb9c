"""Which rows of an import are delivered, and what is to be said about the others."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from services.ingestion.domain.client import Duplicates
from services.ingestion.domain.rows import (
    NO_IDENTITY,
    SUPERSEDED,
    Columns,
    Further,
    Normalized,
    Rejection,
    fault_code,
    rejection,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The rows after normalisation; every row is either kept or rejected.

    phones, regions and decided_by are columns over all rows: the E.164 phone that the row is delivered with, or empty.
    further holds the other identities as they are delivered: normalised, or as they came with a remark. Remarks are
    JSON Pointers below the row with a code ("/phones/1: too_short"). kept is ascending.
    """

    phones: Sequence[str]
    regions: Sequence[str]
    decided_by: bytes
    kept: Sequence[int]
    rejected: Mapping[int, Rejection] = field(default_factory=dict)
    duplicate_of: Mapping[int, int] = field(default_factory=dict)
    further: Mapping[int, Further] = field(default_factory=dict)
    remarks: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


def judge(columns: Columns, normalized: Normalized, *, duplicates: Duplicates) -> Judged:
    """Decides about every row; of the rows with one identity, only the last is kept where duplicates asks for that."""
    weigh = _leniently if columns.further or not columns.phone_required else _strictly
    judged, identities = weigh(columns, normalized)
    if len(set(identities)) == len(identities):
        return judged
    return _with_duplicates(judged, dict(zip(judged.kept, identities, strict=True)), duplicates)


def _strictly(columns: Columns, normalized: Normalized) -> tuple[Judged, Sequence[Hashable]]:
    faults, rows = normalized.phone_refusals, range(len(columns.phones))
    rejected: dict[int, Rejection] = {}
    kept: Sequence[int] = rows
    identities: Sequence[str] = normalized.e164
    if any(faults):
        rejected = {row: rejection("/phone", fault) for row, fault in enumerate(faults) if fault}
        kept = [row for row in rows if not faults[row]]
        identities = [normalized.e164[row] for row in kept]
    judged = Judged(
        phones=normalized.e164,
        regions=normalized.regions,
        decided_by=normalized.decided_by,
        kept=kept,
        rejected=rejected,
    )
    return judged, identities


class _Given(NamedTuple):
    """A row as given, and where its texts lie in the normalised columns: the main phone's place first."""

    phone: str
    further: Further
    phones: Sequence[int]
    emails: Sequence[int]


class _Row(NamedTuple):
    phone: str
    place: int  # of the phone in the normalised columns; -1: none
    identity: tuple[str, str] | None
    further: Further
    faults: tuple[tuple[str, int], ...]


def _leniently(columns: Columns, normalized: Normalized) -> tuple[Judged, Sequence[Hashable]]:
    weighed = _weighed(columns, normalized)
    kept = [row for row, found in enumerate(weighed) if found.identity]
    judged = Judged(
        phones=[row.phone for row in weighed],
        regions=[normalized.regions[row.place] if row.place >= 0 else "" for row in weighed],
        decided_by=bytes(normalized.decided_by[row.place] if row.place >= 0 else 0 for row in weighed),
        kept=kept,
        rejected={index: _first_fault(row) for index, row in enumerate(weighed) if not row.identity},
        further={index: row.further for index, row in enumerate(weighed)},
        remarks={row: _remarks(weighed[row]) for row in kept if weighed[row].faults},
    )
    return judged, [identity for row in weighed if (identity := row.identity)]


def _weighed(columns: Columns, normalized: Normalized) -> list[_Row]:
    e164, emails, nothing = normalized.e164, normalized.emails, Further()
    next_phone, next_email = columns.main_phones, 0
    weighed: list[_Row] = []
    for row, phone in enumerate(columns.phones):
        further = columns.further.get(row, nothing)
        first_phone, first_email = next_phone, next_email
        next_phone, next_email = first_phone + len(further.phones), first_email + len(further.emails)
        clean = Further(tuple(e164[first_phone:next_phone]), tuple(emails[first_email:next_email]), further.external_id)
        if phone or "" in clean.phones or "" in clean.emails:
            places = [row, *range(first_phone, next_phone)]
            weighed.append(_weigh(_Given(phone, further, places, range(first_email, next_email)), normalized))
        else:
            weighed.append(_weigh_clean(clean, first_phone))
    return weighed


def _weigh_clean(clean: Further, place: int) -> _Row:
    """A row without a main phone, and nothing of it refused: most of the rows of a source."""
    phones, emails, external_id = clean
    if phones:
        return _Row(phones[0], place, ("phone", phones[0]), clean, ())
    return _Row("", -1, _identity("", emails[0] if emails else "", external_id), clean, ())


def _weigh(given: _Given, normalized: Normalized) -> _Row:
    further, e164 = given.further, normalized.e164
    place = _first_valid(given.phones if given.phone else given.phones[1:], e164)
    phone = e164[place] if place >= 0 else ""
    emails = [normalized.emails[at] for at in given.emails]
    delivered = Further(
        tuple([e164[at] or text for at, text in zip(given.phones[1:], further.phones, strict=True)]),
        tuple([email or text for email, text in zip(emails, further.emails, strict=True)]),
        further.external_id,
    )
    identity = _identity(phone, _first_given(emails), further.external_id)
    return _Row(phone, place, identity, delivered, tuple(_faults(given, normalized)))


def _first_valid(places: Sequence[int], e164: Sequence[str]) -> int:
    """-1: none is."""
    for place in places:
        if e164[place]:
            return place
    return -1


def _first_given(texts: Sequence[str]) -> str:
    for text in texts:
        if text:
            return text
    return ""


def _identity(phone: str, email: str, external_id: str) -> tuple[str, str] | None:
    if phone:
        return "phone", phone
    if email:
        return "email", email
    return ("external_id", external_id) if external_id else None


def _faults(given: _Given, normalized: Normalized) -> list[tuple[str, int]]:
    """What could not be normalised, by path; an absent main phone is no fault."""
    faults, found = normalized.phone_refusals, []
    if given.phone and faults[given.phones[0]]:
        found.append(("/phone", faults[given.phones[0]]))
    for at, place in enumerate(given.phones[1:]):
        if faults[place]:
            found.append((f"/phones/{at}", faults[place]))
    for at, place in enumerate(given.emails):
        if normalized.email_refusals[place]:
            found.append((f"/emails/{at}", normalized.email_refusals[place]))
    return found


def _first_fault(row: _Row) -> Rejection:
    return rejection(*row.faults[0]) if row.faults else NO_IDENTITY


def _remarks(row: _Row) -> tuple[str, ...]:
    return tuple(f"{path}: {fault_code(fault)}" for path, fault in row.faults)


def _with_duplicates(judged: Judged, identities: Mapping[int, Hashable], duplicates: Duplicates) -> Judged:
    first: dict[Hashable, int] = {}
    duplicate_of = {
        row: earlier for row, identity in identities.items() if (earlier := first.setdefault(identity, row)) != row
    }
    kept, rejected = judged.kept, judged.rejected
    if duplicates is Duplicates.KEEP_LAST:
        last = {identity: row for row, identity in identities.items()}
        kept = sorted(last.values())
        rejected = {**rejected, **{row: SUPERSEDED for row, identity in identities.items() if last[identity] != row}}
    return replace(judged, kept=kept, rejected=rejected, duplicate_of=duplicate_of)
