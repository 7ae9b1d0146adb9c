"""The contacts of a connect workspace (connect-contacts.txt): a bare array."""

from collections.abc import Iterable

import msgspec

from services.source_polling.domain.record import ExternalId, Labeled, Skip, SourceRecord
from services.source_polling.fetcher.document import NOT_JSON, decode_rows, external_id, may_hold_nul, mend, unfit_extra


class _Row(msgspec.Struct, gc=False, rename="camel"):
    id: str | int | None = None
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    company_name: str | None = None
    phone_numbers: list[str | int] | str | int | None = None
    photo: str | None = None
    job_title: str | None = None
    facebook_url: str | None = None
    instagram_url: str | None = None
    linkedin_url: str | None = None
    note: str | None = None
    created_at: object = None
    lead_status: object = None


_decode = msgspec.json.Decoder(list[_Row]).decode
_decode_raw = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_row = msgspec.json.Decoder(_Row).decode


def read_list(body: bytes) -> tuple[list[SourceRecord], list[Skip]] | None:
    """Read the answer: records by id, each id once (its last row), and what is left out. None: it is no list.

    `fullName` says what the names say, and `lastActivityAt` moves by itself: neither is read.
    """
    try:
        rows: Iterable[_Row | Skip] = _decode(body)
    except NOT_JSON:
        try:
            rows = decode_rows(_decode_raw(mend(body)), _decode_row)
        except NOT_JSON:
            return None
    return _judge(rows, nul=may_hold_nul(body))


def _judge(rows: Iterable[_Row | Skip], *, nul: bool) -> tuple[list[SourceRecord], list[Skip]]:
    records: dict[ExternalId, SourceRecord] = {}
    skipped: list[Skip] = []
    for row in rows:
        judged = row if isinstance(row, Skip) else _judge_row(row, may_hold_nul=nul)
        if isinstance(judged, Skip):
            skipped.append(judged)
        else:
            records[judged.external_id] = judged
    return [records[each] for each in sorted(records)], skipped


def _judge_row(row: _Row, *, may_hold_nul: bool) -> SourceRecord | Skip:
    known_as = external_id(row.id)
    if known_as is None:
        return Skip(ExternalId(""), "It has no id, or one that is longer than 256 characters.")
    record = SourceRecord(
        external_id=known_as,
        first_name=(row.first_name or "").strip(),
        last_name=(row.last_name or "").strip(),
        company=(row.company_name or "").strip(),
        phones=tuple(Labeled(number) for number in _numbers(row.phone_numbers)),
        emails=(Labeled(row.email),) if row.email else (),
        extra=_extra(row),
    )
    return unfit_extra(record, may_hold_nul=may_hold_nul) or record


def _numbers(given: list[str | int] | str | int | None) -> list[str]:
    """A list by the document; one number by itself is taken too."""
    numbers = given if isinstance(given, list) else [given]
    return [str(number) for number in numbers if number]


def _extra(row: _Row) -> dict[str, object]:
    extra = {
        "photo": row.photo,
        "jobTitle": row.job_title,
        "facebookUrl": row.facebook_url,
        "instagramUrl": row.instagram_url,
        "linkedinUrl": row.linkedin_url,
        "note": row.note,
        "createdAt": row.created_at,
        "leadStatus": _label(row.lead_status),
    }
    return {name: value for name, value in extra.items() if value not in (None, "")}


def _label(lead_status: object) -> object:
    """Give what people call it; its id and color mean nothing elsewhere."""
    return lead_status.get("label") if isinstance(lead_status, dict) else lead_status
