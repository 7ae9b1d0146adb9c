"""Calls that are no deliveries: a test, and a look at what would be sent."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from msgspec import structs

from services.delivery.domain.delivery import Chunk, ChunkId, DeliveryKey, Parcel, Ref
from services.delivery.domain.destination import Destination, DestinationId
from services.delivery.domain.errors import ChunkNotFoundError, DestinationNotFoundError
from services.delivery.domain.tags import wanted
from services.delivery.ports import Chunks, Clock, Destinations, RandomBytes
from services.delivery.ports.operating import Probe, Probed, Rehearsal, Request

SAMPLE = {
    "phone": "+12025550123",
    "tags": ["contactsync-test"],
    "additionalFields": {"first_name": "Test", "last_name": "Contact", "email": "test@example.com"},
}
"""Nobody: a number and an address that are kept free for examples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What would be sent."""

    requests: Sequence[Request]
    contacts: int
    filtered: int
    """Contacts that the tag filter holds back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TryOutOffice:
    """What is tried with."""

    destinations: Destinations
    chunks: Chunks
    probe: Probe
    rehearsal: Rehearsal
    clock: Clock
    random: RandomBytes


class TryOut:
    """Touches no delivery, no breaker and no backlog."""

    def __init__(self, office: TryOutOffice) -> None:
        self._office = office

    async def test(self, destination_id: DestinationId) -> Probed:
        """Call the destination once. Raises DestinationNotFoundError."""
        destination = await self._find(destination_id)
        return await self._office.probe.probe(destination, sample=self._sample(destination, "test"))

    async def preview(self, destination_id: DestinationId, chunk_id: ChunkId | None) -> Preview:
        """Show what would be sent of a chunk, or of a made-up contact.

        Raises DestinationNotFoundError, ChunkNotFoundError.
        """
        destination = await self._find(destination_id)
        if chunk_id is None:
            requests = await self._office.rehearsal.rehearse(self._sample(destination, "preview"))
            return Preview(requests=requests, contacts=1, filtered=0)
        chunk = await self._office.chunks.fetch(chunk_id)
        if chunk is None:
            raise ChunkNotFoundError
        there = [at for at in range(chunk.size) if at not in set(chunk.erased)]
        passing = set(wanted(chunk.contacts, destination.tags))
        sent = [at for at in there if at in passing]
        parcel = self._parcel(destination, chunk)
        # A chunk that goes whole is sent as it is; else by its first part.
        if len(sent) < chunk.size or chunk.size > destination.chunk_size:
            parcel = replace(parcel, ref=structs.replace(parcel.ref, positions=tuple(sent[: destination.chunk_size])))
        requests = await self._office.rehearsal.rehearse(parcel) if sent else []
        return Preview(requests=requests, contacts=len(sent), filtered=len(there) - len(sent))

    async def _find(self, destination_id: DestinationId) -> Destination:
        destination = await self._office.destinations.find(destination_id)
        if destination is None:
            raise DestinationNotFoundError
        return destination

    def _sample(self, destination: Destination, purpose: str) -> Parcel:
        """An id of its own each time: a receiver that remembers ids takes no test for a repeat."""
        name = base64.b32encode(self._office.random(10)).decode().lower()
        chunk = Chunk(
            chunk_id=ChunkId(f"{purpose}-{name}"),
            client_id=purpose,
            size=1,
            contacts=json.dumps([SAMPLE]).encode(),
            created_at=self._office.clock.now(),
        )
        return self._parcel(destination, chunk)

    def _parcel(self, destination: Destination, chunk: Chunk) -> Parcel:
        ref = Ref(DeliveryKey(chunk.chunk_id, destination.destination_id))
        return Parcel(ref=ref, destination=destination, chunk=chunk, started_at=self._office.clock.now())
