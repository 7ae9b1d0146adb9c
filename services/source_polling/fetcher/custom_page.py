"""A page of a custom contact source, with the consumer's mapping."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from services.source_polling.domain.record import (
    ExternalId,
    Labeled,
    Skip,
    SourceRecord,
    contact_type,
    email_label,
    phone_label,
)
from services.source_polling.fetcher.document import (
    NOT_JSON,
    decode_rows,
    external_id,
    fingerprint,
    mend,
)


class _Phone(msgspec.Struct, gc=False):
    number: str | int | None = None
    label: object = None


class _Email(msgspec.Struct, gc=False):
    email: str | None = None
    label: object = None


class _Row(msgspec.Struct, gc=False):
    id: str | int | None = None
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    type: object = None
    phones: list[_Phone] | None = None
    emails: list[_Email] | None = None


class _Full(msgspec.Struct, gc=False):
    contacts: list[_Row] | None
    has_more: object = None


class _Delta(msgspec.Struct, gc=False):
    updated: list[_Row] | msgspec.UnsetType | None = msgspec.UNSET
    deleted: list[str | int] | msgspec.UnsetType | None = msgspec.UNSET
    has_more: object = None


class _RawFull(msgspec.Struct, gc=False):
    contacts: list[msgspec.Raw] | None
    has_more: object = None


class _RawDelta(msgspec.Struct, gc=False):
    updated: list[msgspec.Raw] | msgspec.UnsetType | None = msgspec.UNSET
    deleted: list[object] | msgspec.UnsetType | None = msgspec.UNSET
    has_more: object = None


_decode_full = msgspec.json.Decoder(_Full).decode
_decode_delta = msgspec.json.Decoder(_Delta).decode
_decode_raw_full = msgspec.json.Decoder(_RawFull).decode
_decode_raw_delta = msgspec.json.Decoder(_RawDelta).decode
_decode_row = msgspec.json.Decoder(_Row).decode


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Read:
    """What a page says."""

    records: tuple[SourceRecord, ...]
    deleted: tuple[ExternalId, ...]
    skipped: tuple[Skip, ...]
    has_more: bool
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class NoPage:
    """The answer is no page. The reason holds nothing of it."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Parts:
    rows: Iterable[_Row | Skip]
    deleted: Sequence[object]
    has_more: object


def read_page(body: bytes, *, delta: bool) -> Read | NoPage:
    """Read the answer to a question for a page. Rows that cannot be contacts are skipped, each with its reason."""
    try:
        parts = _strict(body, delta=delta)
    except NOT_JSON:
        try:
            parts = _lenient(mend(body), delta=delta)
        except msgspec.ValidationError:
            return NoPage("The source answered 200 with JSON that is no page of contacts.")
        except NOT_JSON:
            return NoPage("The source answered 200 with something that is not JSON in UTF-8.")
    if parts is None:
        return NoPage("The source answered 200 with JSON that holds neither updated nor deleted contacts.")
    return _judge(parts, body)


def _strict(body: bytes, *, delta: bool) -> _Parts | None:
    if not delta:
        full = _decode_full(body)
        return _Parts(full.contacts or (), (), full.has_more)
    page = _decode_delta(body)
    if page.updated is page.deleted is msgspec.UNSET:
        return None
    return _Parts(page.updated or (), page.deleted or (), page.has_more)


def _lenient(body: bytes, *, delta: bool) -> _Parts | None:
    if not delta:
        full = _decode_raw_full(body)
        return _Parts(decode_rows(full.contacts or (), _decode_row), (), full.has_more)
    page = _decode_raw_delta(body)
    if page.updated is page.deleted is msgspec.UNSET:
        return None
    return _Parts(decode_rows(page.updated or (), _decode_row), page.deleted or (), page.has_more)


def _judge(parts: _Parts, body: bytes) -> Read:
    records: list[SourceRecord] = []
    skipped: list[Skip] = []
    for row in parts.rows:
        judged = row if isinstance(row, Skip) else _judge_row(row)
        if isinstance(judged, Skip):
            skipped.append(judged)
        else:
            records.append(judged)
    deleted = _read_deleted(parts.deleted, records, skipped)
    return Read(
        records=tuple(records),
        deleted=deleted,
        skipped=tuple(skipped),
        # A flag that was written as text or a number is still meant; to end early would lose contacts.
        has_more=parts.has_more in (True, "true", "True"),
        fingerprint=fingerprint(body),
    )


def _judge_row(row: _Row) -> SourceRecord | Skip:
    known_as = external_id(row.id)
    if known_as is None:
        return Skip(ExternalId(""), "It has no id, or one that is longer than 256 characters.")
    first_name, last_name = (row.first_name or "").strip(), (row.last_name or "").strip()
    if not first_name or not last_name:
        return Skip(known_as, f"It has no {'last' if first_name else 'first'} name.")
    return SourceRecord(
        external_id=known_as,
        first_name=first_name,
        last_name=last_name,
        company=(row.company or "").strip(),
        type=contact_type(row.type),
        phones=tuple([Labeled(str(each.number), phone_label(each.label)) for each in row.phones or () if each.number]),
        emails=tuple([Labeled(each.email, email_label(each.label)) for each in row.emails or () if each.email]),
    )


def _read_deleted(given: Sequence[object], records: list[SourceRecord], skipped: list[Skip]) -> tuple[ExternalId, ...]:
    """Give the ids that are gone. One that the same page updates is not: a source that lists it has it."""
    there = {record.external_id for record in records} | {skip.external_id for skip in skipped}
    gone: list[ExternalId] = []
    for each in given:
        known_as = external_id(each)
        if known_as is None:
            skipped.append(Skip(ExternalId(""), "A deleted id is neither text nor a whole number."))
        elif known_as not in there:
            gone.append(known_as)
    return tuple(gone)
