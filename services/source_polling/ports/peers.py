"""What source polling asks of other services. Every method raises PartUnavailableError when nobody answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.source_polling.domain.record import ExternalId
from services.source_polling.domain.source import Source


class Imports(Protocol):
    """The way into the hub."""

    def pack(
        self, source: Source, *, key: str, contacts: Sequence[bytes], tombstones: Sequence[ExternalId] = ()
    ) -> bytes:
        """Write an import of at most 10,000 contacts, as they were hashed, with all that ingestion needs to know."""
        ...

    def contents(self, parcel: bytes) -> Sequence[ExternalId]:
        """Tell whose contacts, and tombstones, are in it."""
        ...

    async def accept(self, parcel: bytes) -> None:
        """Return when ingestion has it on disk; the same parcel again changes nothing. ImportRefusedError: never."""
        ...


@dataclass(frozen=True, slots=True)
class SeenChange:
    """A record at a source, and what of it differs, as contactsync.delivery.v1.SeenChange has it."""

    remote_id: ExternalId
    fields: Mapping[str, str]


class Echoes(Protocol):
    """Who knows what the hub delivered."""

    async def recognize(self, url: str, changes: Sequence[SeenChange]) -> Sequence[bool]:
        """Tell of each change whether the hub itself made it there."""
        ...
