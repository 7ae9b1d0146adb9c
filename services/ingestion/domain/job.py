"""An accepted import: the job, its chunks, and the rows that were rejected."""

from bisect import bisect_right
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import accumulate

from services.ingestion.domain.client import Origin
from services.ingestion.domain.ids import ChunkId, ClientId, DestinationId, JobId
from services.ingestion.domain.rows import SUPERSEDED

CHUNK_ROWS = 1000
MAXIMUM_ROWS = 10_000
ERASED = "erased"
"""Code of a row whose contents were erased."""
ERASED_MESSAGE = "Erased on request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """An import as it was accepted; nothing of it changes later.

    ordered: rows of one identity lie in several chunks, so these are delivered one after another.
    """

    job_id: JobId
    client_id: ClientId
    origin: Origin
    created_at: datetime
    total: int
    valid: int
    chunks_count: int
    destination_ids: tuple[DestinationId, ...]
    ordered: bool = False
    workspace_id: str = ""
    source_id: str = ""

    @property
    def invalid(self) -> int:
        """Rows that are not delivered."""
        return self.total - self.valid


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What the rows of a chunk were before and how that was decided; places are positions in the chunk.

    unknown holds, for rows that have them, the members that the contract does not know, as a JSON object.
    """

    original_phones: Sequence[str]
    regions: Sequence[str]
    decided_by: bytes
    metadata_version: str
    duplicate_of: Mapping[int, int] = field(default_factory=dict)
    unknown: Mapping[int, bytes] = field(default_factory=dict)
    remarks: Mapping[int, Sequence[str]] = field(default_factory=dict)

    def without(self, positions: Sequence[int]) -> "Details":
        """The details with nothing left of the rows at these positions."""
        gone = set(positions)
        return replace(
            self,
            original_phones=_emptied(self.original_phones, gone),
            regions=_emptied(self.regions, gone),
            decided_by=bytes(0 if at in gone else how for at, how in enumerate(self.decided_by)),
            unknown={at: members for at, members in self.unknown.items() if at not in gone},
            remarks={at: remarks for at, remarks in self.remarks.items() if at not in gone},
        )


def _emptied(texts: Sequence[str], gone: Container[int]) -> list[str]:
    return ["" if at in gone else text for at, text in enumerate(texts)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Rows that are delivered together; body is the contacts JSON, rows their indexes in the import, ascending."""

    chunk_id: ChunkId
    index: int
    rows: Sequence[int]
    body: bytes
    details: Details

    @property
    def size(self) -> int:
        """Its rows, 1 to 1000."""
        return len(self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A row that is not delivered, kept in the shape it came in."""

    row_index: int
    original_phone: str
    normalized_phone: str
    region: str
    decided_by: int
    code: str
    pointer: str
    message: str
    submitted: bytes
    metadata_version: str
    duplicate_of: int | None = None
    unknown: bytes = b""

    @property
    def mendable(self) -> bool:
        """It may be mended and imported again: a superseded row would undo its successor, an erased one is gone."""
        return self.code not in {SUPERSEDED.code, ERASED}

    @property
    def erased(self) -> "RejectedRow":
        """The row with nothing left of it but its place and that it was rejected."""
        return replace(
            self,
            original_phone="",
            normalized_phone="",
            region="",
            decided_by=0,
            code=ERASED,
            message=ERASED_MESSAGE,
            submitted=b"",
            unknown=b"",
        )


@dataclass(frozen=True, slots=True)
class Acceptance:
    """All that one import writes, in one unit."""

    job: Job
    chunks: Sequence[Chunk]
    rejected: Sequence[RejectedRow]


def cut(rows: Sequence[int]) -> list[Sequence[int]]:
    """The rows in chunks, in order, all full but the last."""
    return [rows[start : start + CHUNK_ROWS] for start in range(0, len(rows), CHUNK_ROWS)]


def crosses(chunks: Sequence[Sequence[int]], duplicate_of: Mapping[int, int]) -> bool:
    """Whether rows of one identity lie in different chunks."""
    if len(chunks) < 2 or not duplicate_of:
        return False
    starts = [rows[0] for rows in chunks]
    return any(bisect_right(starts, row) != bisect_right(starts, first) for row, first in duplicate_of.items())


def fitting(sizes: Sequence[int], *, enough: int) -> int:
    """How many of the first bodies are enough bytes together, or less; at least one where there are any."""
    for count, size in enumerate(accumulate(sizes)):
        if size > enough:
            return max(count, 1)
    return len(sizes)
