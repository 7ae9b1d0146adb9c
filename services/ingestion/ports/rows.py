from collections.abc import Mapping, Sequence
from typing import Protocol

from services.ingestion.domain.judging import Judged
from services.ingestion.domain.rows import Columns


class Rows(Protocol):
    """The rows of one import as their entrance decoded them: who they are, and how they are written down."""

    @property
    def columns(self) -> Columns:
        """What the rows are identified by."""
        ...

    def written(self, rows: Sequence[int], judged: Judged) -> bytes:
        """The contacts JSON of these rows, with what they were normalised to. A row is asked for once at most."""
        ...

    def submitted(self, row: int) -> bytes:
        """The row as it came, in JSON."""
        ...

    @property
    def unknown(self) -> Mapping[int, bytes]:
        """Of the rows that have them: the members that the contract does not know, as a JSON object."""
        ...

    def pointer(self, row: int) -> str:
        """The JSON Pointer of the row in the request."""
        ...
