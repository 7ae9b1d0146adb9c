"""What operating destinations needs of the world, beside what delivering needs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from services.delivery.domain.dead_letter import Closing, DeadLetter, DeadLetterFilter
from services.delivery.domain.delivery import Attempt, ChunkId, Parcel, RowState
from services.delivery.domain.destination import Destination, DestinationId
from services.delivery.domain.flow import DestinationHealth
from services.delivery.domain.replay import Redelivery, Replay, ReplayId, ReplayItem


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """How a destination answered a call that is no delivery. `status` 0: not at all."""

    ok: bool
    status: int
    took: timedelta
    message: str
    body: bytes = field(repr=False)
    """At most 64 KiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A call that would be made."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a page of dead letters goes on: behind this one."""

    at: datetime
    chunk_id: ChunkId
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Rows of one chunk that ingestion is asked about."""

    chunk_id: ChunkId
    destination_id: DestinationId
    round: int
    positions: tuple[int, ...]
    states: frozenset[RowState]


class Register(Protocol):
    """Changes of destinations. In force here at once, elsewhere within a second."""

    async def change(
        self, destination_id: DestinationId, change: Callable[[Destination], Destination]
    ) -> Destination | None:
        """Store what `change` makes of it, and give that. None: there is none. What `change` raises changes nothing."""
        ...

    async def remove(self, destination_id: DestinationId) -> bool:
        """Forget it. False: there was none."""
        ...


class DeadLetters(Protocol):
    """Rows that nobody tries again unasked. The ledger keeps them in step with every delivery it stores."""

    async def page(self, wanted: DeadLetterFilter, *, after: Place | None, limit: int) -> Sequence[DeadLetter]:
        """Give those that pass, the latest first, then by chunk and position."""
        ...

    async def find(self, destination_id: DestinationId, chunk_id: ChunkId, position: int) -> DeadLetter | None:
        """Give one, open or closed."""
        ...

    async def count(self, destination_id: DestinationId) -> int:
        """Count the open ones."""
        ...

    async def close(self, wanted: DeadLetterFilter, closing: Closing) -> int:
        """Close the open ones that pass; tell how many."""
        ...

    async def refute(self, wanted: DeadLetterFilter, *, reason: str) -> int:
        """Make the open ones that pass failed, with this reason; tell how many."""
        ...


class Replays(Protocol):
    """Replays and what is left of them to do."""

    async def start(self, replay: Replay, items: Sequence[ReplayItem]) -> None:
        """Store a new one whole."""
        ...

    async def find(self, replay_id: ReplayId) -> Replay | None:
        """Give one with its counts."""
        ...

    async def list(self, destination_id: DestinationId, *, limit: int) -> Sequence[Replay]:
        """Give the latest first."""
        ...

    async def unfinished(self) -> Sequence[Replay]:
        """Give all that are not completed, the oldest first."""
        ...

    async def open_items(self, replay_id: ReplayId) -> Sequence[ReplayItem]:
        """Give the items that have not ended."""
        ...

    async def keep(self, known: ReplayItem, now: ReplayItem) -> bool:
        """Store an item, unless another was quicker: it is no longer as `known` (False)."""
        ...

    async def complete(self, replay_id: ReplayId, *, at: datetime) -> None:
        """Mark it completed, once."""
        ...


class Redeliveries(Protocol):
    """Ingestion, which counts the rounds and keeps the job's view. Raises when it does not answer."""

    async def redeliver(self, selections: Sequence[Selection]) -> Sequence[Redelivery]:
        """Start the next round for rows; idempotent by the round that the selection names."""
        ...

    async def resolve(self, selections: Sequence[Selection], *, state: RowState, reason: str) -> Sequence[bytes]:
        """Give unknown rows this state, and tell all states of each chunk (empty: no such delivery). Idempotent."""
        ...


class Clients(Protocol):
    """Who imports. Raises when nobody knows now."""

    async def senders_to(self, destination_id: DestinationId) -> Sequence[str]:
        """Give the names of the clients whose contacts go there."""
        ...


class Sources(Protocol):
    """Where the hub fetches contacts. Raises when nobody knows now."""

    async def leading_to(self, destination_id: DestinationId) -> Sequence[str]:
        """Give the names of the sources whose contacts go there."""
        ...


class Probe(Protocol):
    """The way to destinations without contacts of anybody."""

    async def probe(self, destination: Destination, *, sample: Parcel) -> Probed:
        """Call once: send the sample where that is harmless, else read something."""
        ...


class Rehearsal(Protocol):
    """What a sender would send."""

    async def rehearse(self, parcel: Parcel) -> Sequence[Request]:
        """Give the calls, at most 10, credentials masked. Nothing leaves the hub."""
        ...


class Vitals(Protocol):
    """How destinations fare."""

    async def health(self, destination_id: DestinationId) -> DestinationHealth:
        """Tell what this process knows. Raises DestinationNotFoundError."""
        ...


class Errors(Protocol):
    """Tries that failed, for people."""

    async def last_errors(self, destination_id: DestinationId, *, limit: int) -> Sequence[Attempt]:
        """Give the latest first."""
        ...

    async def forget_answers(self, *, before: datetime) -> int:
        """Drop what came back from tries that began before then; tell from how many."""
        ...

    async def forget_answers_of(self, chunk_ids: Sequence[ChunkId]) -> None:
        """Drop what came back from every try of the chunks."""
        ...


class Clearing(Protocol):
    """Ends what waits for a destination that is gone."""

    async def clear(self, destination_id: DestinationId) -> None:
        """End its deliveries as failed, and tell. What is left over ends when ingestion asks for it."""
        ...


class Haste(Protocol):
    """Brings what waits forward."""

    async def hasten(self, destination_id: DestinationId, *, now: datetime) -> int:
        """Make due now whatever waits for a later time; tell how much. What is being sent stays as it is."""
        ...
