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

    row: int
    phone: str
    further: Further
    phones: Sequence[int]
    emails: Sequence[int]


@dataclass(frozen=True, slots=True)
class _Weighed:
    """Columns over all rows; a tuple for each would cost as much as all the rest."""

    places: list[int] = field(default_factory=list)
    """Of the phone in the normalised columns; -1: none."""
    identities: list[tuple[str, str] | None] = field(default_factory=list)
    further: list[Further] = field(default_factory=list)
    faults: dict[int, Sequence[tuple[str, int]]] = field(default_factory=dict)
    """Of the rows that have some, by path."""


def _leniently(columns: Columns, normalized: Normalized) -> tuple[Judged, Sequence[Hashable]]:
    weighed = _weighed(columns, normalized)
    places, identities, faults = weighed.places, weighed.identities, weighed.faults
    kept: Sequence[int] = range(len(identities))
    if not all(identities):
        kept = [row for row, identity in enumerate(identities) if identity]
    judged = Judged(
        # The last one, behind all that was normalised, is that of rows without a phone.
        phones=list(map([*normalized.e164, ""].__getitem__, places)),
        regions=list(map([*normalized.regions, ""].__getitem__, places)),
        decided_by=bytes(map(bytes((*normalized.decided_by, 0)).__getitem__, places)),
        kept=kept,
        rejected={row: _first_fault(faults.get(row)) for row, found in enumerate(identities) if not found},
        further=dict(enumerate(weighed.further)),
        remarks={row: _remarks(found) for row, found in faults.items() if identities[row]},
    )
    return judged, [identity for identity in identities if identity]


def _weighed(columns: Columns, normalized: Normalized) -> _Weighed:
    all_phones, all_emails, nothing = tuple(normalized.e164), tuple(normalized.emails), Further()
    next_phone, next_email = columns.main_phones, 0
    weighed = _Weighed()
    for row, phone in enumerate(columns.phones):
        further = columns.further.get(row, nothing)
        given_phones, given_emails, external_id = further
        first_phone, first_email = next_phone, next_email
        next_phone, next_email = first_phone + len(given_phones), first_email + len(given_emails)
        phones, emails = all_phones[first_phone:next_phone], all_emails[first_email:next_email]
        if phone or "" in phones or "" in emails:
            places = [row, *range(first_phone, next_phone)]
            _weigh(_Given(row, phone, further, places, range(first_email, next_email)), normalized, weighed)
            continue
        # Without a main phone, and nothing of it refused: most of the rows of a source. Much comes as it is delivered.
        if phones != given_phones or emails != given_emails:
            further = Further(phones, emails, external_id)
        weighed.places.append(first_phone if phones else -1)
        weighed.identities.append(_identity(phones[0] if phones else "", emails[0] if emails else "", external_id))
        weighed.further.append(further)
    return weighed


def _weigh(given: _Given, normalized: Normalized, weighed: _Weighed) -> None:
    further, e164 = given.further, normalized.e164
    place = _first_valid(given.phones if given.phone else given.phones[1:], e164)
    emails = [normalized.emails[at] for at in given.emails]
    delivered = Further(
        tuple([e164[at] or text for at, text in zip(given.phones[1:], further.phones, strict=True)]),
        tuple([email or text for email, text in zip(emails, further.emails, strict=True)]),
        further.external_id,
    )
    weighed.places.append(place)
    weighed.identities.append(_identity(e164[place] if place >= 0 else "", _first_given(emails), further.external_id))
    weighed.further.append(delivered)
    if faults := _faults(given, normalized):
        weighed.faults[given.row] = faults


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


def _first_fault(faults: Sequence[tuple[str, int]] | None) -> Rejection:
    return rejection(*faults[0]) if faults else NO_IDENTITY


def _remarks(faults: Sequence[tuple[str, int]]) -> tuple[str, ...]:
    return tuple(f"{path}: {fault_code(fault)}" for path, fault in faults)


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
