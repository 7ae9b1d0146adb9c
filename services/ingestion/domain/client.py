"""Who imports, and how its imports are to be worked."""

from dataclasses import dataclass
from enum import Enum

from services.ingestion.domain.ids import ClientId, DestinationId


class Duplicates(Enum):
    """What happens to rows of one import that have the same normalised identity."""

    KEEP_ALL = "keep_all"
    KEEP_LAST = "keep_last"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A caller that imports, with its settings; every default is filled in."""

    client_id: ClientId
    default_region: str = "RU"
    destination_ids: tuple[DestinationId, ...] = (DestinationId("directory"),)
    duplicates: Duplicates = Duplicates.KEEP_ALL
    workspace_id: str = ""
    """Where in the contact book its contacts land. Empty: the first workspace."""
    source_id: str = ""
    """The source that its contacts come from. Empty: none."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The request that something belongs to.

    traceparent is W3C trace context, empty when it is not traced.
    """

    correlation_id: str = ""
    traceparent: str = ""

    @property
    def trace_id(self) -> str:
        """32 hex digits, or empty."""
        return self.traceparent[3:35]
