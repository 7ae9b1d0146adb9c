"""What an import will write: its chunks and its rejected rows."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import TypeVar

from services.ingestion.domain.errors import Invalid, Violation
from services.ingestion.domain.ids import JobId, chunk_id
from services.ingestion.domain.job import Chunk, Details, RejectedRow
from services.ingestion.domain.judging import Judged
from services.ingestion.domain.rows import Columns, Normalized
from services.ingestion.ports.rows import Rows

T = TypeVar("T")


def draft_chunk(
    given: Rows, judged: Judged, normalized: Normalized, job_id: JobId, *, index: int, rows: Sequence[int]
) -> Chunk:
    """The chunk of these rows."""
    return Chunk(
        chunk_id=chunk_id(job_id, index=index),
        index=index,
        rows=rows,
        body=given.written(rows, judged),
        details=_details(given, judged, normalized, rows),
    )


def _details(given: Rows, judged: Judged, normalized: Normalized, rows: Sequence[int]) -> Details:
    return Details(
        original_phones=_original_phones(given.columns, rows),
        regions=_pick(judged.regions, rows),
        decided_by=bytes(_pick(judged.decided_by, rows)),
        metadata_version=normalized.metadata_version,
        duplicate_of=_by_position(judged.duplicate_of, rows),
        unknown=_by_position(given.unknown, rows),
        remarks={
            position: [given.pointer(rows[position]) + remark for remark in remarks]
            for position, remarks in _by_position(judged.remarks, rows).items()
        },
    )


def _pick(column: Sequence[T], rows: Sequence[int]) -> Sequence[T]:
    if isinstance(rows, range):
        return column[rows.start : rows.stop]
    return itemgetter(*rows)(column) if len(rows) > 1 else [column[rows[0]]]


def _by_position(values: Mapping[int, T], rows: Sequence[int]) -> dict[int, T]:
    if not values:
        return {}
    return {position: values[row] for position, row in enumerate(rows) if row in values}


def _original_phones(columns: Columns, rows: Sequence[int]) -> Sequence[str]:
    if not columns.further:
        return _pick(columns.phones, rows)
    return [original_phone(columns, row) for row in rows]


def original_phone(columns: Columns, row: int) -> str:
    """The main phone as given, or else the first of the others; empty when there is none."""
    if columns.phones[row] or row not in columns.further:
        return columns.phones[row]
    return next(iter(columns.further[row].phones), "")


def draft_rejected(given: Rows, judged: Judged, normalized: Normalized, row: int) -> RejectedRow:
    """The row as it is kept."""
    rejection = judged.rejected[row]
    return RejectedRow(
        row_index=row,
        original_phone=original_phone(given.columns, row),
        normalized_phone=judged.phones[row],
        region=judged.regions[row],
        decided_by=judged.decided_by[row],
        code=rejection.code,
        pointer=given.pointer(row) + rejection.path,
        message=rejection.message,
        submitted=given.submitted(row),
        metadata_version=normalized.metadata_version,
        duplicate_of=judged.duplicate_of.get(row),
        unknown=given.unknown.get(row, b""),
    )


def none_valid(given: Rows, judged: Judged) -> Invalid:
    """The refusal of an import without a valid row, one violation per row."""
    return Invalid(
        violations=[
            Violation(given.pointer(row) + rejection.path, rejection.code, rejection.message)
            for row, rejection in sorted(judged.rejected.items())
        ]
    )
