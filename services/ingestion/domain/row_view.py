"""The rows of a job as they came in, and what became of each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from services.ingestion.domain.ids import DestinationId
from services.ingestion.domain.job import ERASED, ERASED_MESSAGE, Details, RejectedRow
from services.ingestion.domain.outcome import Delivery, RowState


@dataclass(frozen=True, slots=True)
class ChunkRows:
    """The rows of one chunk with all that is known of them."""

    rows: Sequence[int]
    phones: Sequence[str]
    details: Details
    deliveries: Sequence[Delivery]
    erased: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class AtDestination:
    """A row's state at one destination; without an id for a rejected row, which met none."""

    destination_id: DestinationId
    state: RowState
    reason: str = ""


# What is least done comes first.
_BY_WEIGHT = (
    RowState.PENDING,
    RowState.FAILED,
    RowState.UNKNOWN,
    RowState.UNSUPPORTED,
    RowState.REJECTED,
    RowState.CREATED,
    RowState.UPDATED,
    RowState.UNCHANGED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowView:
    """One row; code, pointer, message and submitted are of rejected rows, and of erased ones code and message."""

    row_index: int
    original_phone: str
    normalized_phone: str
    region: str
    decided_by: int
    destinations: Sequence[AtDestination]
    metadata_version: str
    code: str = ""
    pointer: str = ""
    message: str = ""
    submitted: bytes = b""
    duplicate_of: int | None = None
    unknown: bytes = b""
    remarks: Sequence[str] = ()

    @property
    def worst(self) -> AtDestination:
        """Where it is least done: pending before failed before whatever succeeded."""
        return min(self.destinations, key=lambda each: _BY_WEIGHT.index(each.state))


def delivered_rows(chunk: ChunkRows, *, after: int, state: RowState | None) -> Iterator[RowView]:
    """The chunk's rows behind the index, by index; only those in the state at some destination, where one is given."""
    for position, row in enumerate(chunk.rows):
        if row > after and (state is None or any(each.states[position] == state for each in chunk.deliveries)):
            yield _delivered_row(chunk, position)


def _delivered_row(chunk: ChunkRows, position: int) -> RowView:
    details, erased = chunk.details, position in chunk.erased
    return RowView(
        row_index=chunk.rows[position],
        original_phone=details.original_phones[position],
        normalized_phone=chunk.phones[position],
        region=details.regions[position],
        decided_by=details.decided_by[position],
        destinations=[
            AtDestination(each.destination_id, RowState(each.states[position]), each.reason(position))
            for each in sorted(chunk.deliveries, key=lambda each: each.destination_id)
        ],
        metadata_version=details.metadata_version,
        code=ERASED if erased else "",
        message=ERASED_MESSAGE if erased else "",
        duplicate_of=details.duplicate_of.get(position),
        unknown=details.unknown.get(position, b""),
        remarks=details.remarks.get(position, ()),
    )


def rejected_row(row: RejectedRow) -> RowView:
    """The rejected row as callers see it."""
    return RowView(
        row_index=row.row_index,
        original_phone=row.original_phone,
        normalized_phone=row.normalized_phone,
        region=row.region,
        decided_by=row.decided_by,
        destinations=[AtDestination(DestinationId(""), RowState.REJECTED)],
        metadata_version=row.metadata_version,
        code=row.code,
        pointer=row.pointer,
        message=row.message,
        submitted=row.submitted,
        duplicate_of=row.duplicate_of,
        unknown=row.unknown,
    )


def first_rows(rows: Sequence[RowView], limit: int) -> list[RowView]:
    """The first by index."""
    return list(islice(sorted(rows, key=lambda row: row.row_index), limit))
