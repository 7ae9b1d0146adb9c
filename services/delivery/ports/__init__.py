"""What the handler needs of the world."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from services.delivery.domain.answer import Answer
from services.delivery.domain.delivery import Attempt, Chunk, ChunkId, Delivery, DeliveryKey, Parcel
from services.delivery.domain.destination import Destination, DestinationId
from services.delivery.domain.echo import Written
from services.delivery.domain.watch import Late


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The backlog of a destination. `oldest_at` is when the oldest of it came; None when nothing waits."""

    count: int
    oldest_at: datetime | None


class Ledger(Protocol):
    """Every delivery ever asked for. What a method answered is on disk."""

    async def find(self, keys: Sequence[DeliveryKey]) -> Mapping[DeliveryKey, Delivery]:
        """Give those that are known."""
        ...

    async def claim(self, delivery: Delivery, *, now: datetime) -> bool:
        """Store it if it is new, or is waiting, was due at `now` and was tried and claimed no more than it knows.

        False: another has it.
        """
        ...

    async def record(self, delivery: Delivery, attempt: Attempt | None = None) -> bool:
        """Store it with its try, unless the ledger has it final, with as many tries or another fence.

        False: nothing was stored.
        """
        ...

    async def exchange(self, known: Delivery, delivery: Delivery) -> bool:
        """Store it unless somebody tried or claimed it since it was as `known`, waiting (False: nothing was stored)."""
        ...


class Backlog(Protocol):
    """What the ledger has to be acted on later."""

    async def due(self, destination_id: DestinationId, *, now: datetime, limit: int) -> Sequence[Delivery]:
        """Give what may be acted on at `now`, what became due first first."""
        ...

    async def next_due(self, destination_id: DestinationId) -> datetime | None:
        """Tell when the first of it becomes due, perhaps in the past. None: there is nothing."""
        ...

    async def page(self, destination_id: DestinationId, *, after: Delivery | None, limit: int) -> Sequence[Delivery]:
        """Give what is not final, due or not, by due time, then chunk and round: the first, or those behind `after`."""
        ...

    async def late(self, destination_id: DestinationId, *, due: datetime, came: datetime) -> Late:
        """Count, up to `COUNTED`, what was due then; of it also what came by `came` and was never tried."""
        ...

    async def waiting(self, destination_id: DestinationId) -> Waiting:
        """Count it."""
        ...


class Attempts(Protocol):
    """The tries, for people."""

    async def attempts(self, chunk_id: ChunkId, destination_id: DestinationId) -> Sequence[Attempt] | None:
        """Give the tries of all rounds, oldest first. None: there is no such delivery."""
        ...

    async def attempts_of(self, chunk_ids: Sequence[ChunkId], *, limit: int) -> Sequence[Attempt]:
        """Give the latest tries of the chunks at all destinations, oldest first, without their answers."""
        ...


class Destinations(Protocol):
    """Where contacts may go. Answers may be up to a second old, but one that is there is found."""

    async def find(self, destination_id: DestinationId) -> Destination | None:
        """Give it with its secret."""
        ...

    async def list(self) -> Sequence[Destination]:
        """Give all, by name, then id."""
        ...

    async def put(self, destination: Destination) -> bool:
        """Store a new one. False: the id is taken, and nothing was changed."""
        ...


class PauseSwitch(Protocol):
    """Stops a destination and lets it go on."""

    async def set_paused(self, destination_id: DestinationId, *, paused: bool, reason: str = "") -> Destination | None:
        """Give it as it is then. None: there is none. The reason is for people, and goes when it goes on.

        One that was paused and no longer is is `resuming`.
        """
        ...

    async def resumed(self, destination_id: DestinationId) -> None:
        """Let it go on: it is no longer `resuming`."""
        ...


class Cipher(Protocol):
    """Keeps secrets of destinations unreadable on disk."""

    def seal(self, secret: str, *, destination_id: DestinationId) -> bytes:
        """Seal for this destination alone."""
        ...

    def unseal(self, sealed: bytes, *, destination_id: DestinationId) -> str:
        """Give the secret. Raises when it was not sealed so."""
        ...


class Chunks(Protocol):
    """The contacts, where they are kept."""

    async def fetch(self, chunk_id: ChunkId) -> Chunk | None:
        """Give a chunk. None: there is none. Raises when its keeper does not answer."""
        ...


class Outcomes(Protocol):
    """Who keeps the job's view."""

    async def report(self, delivery: Delivery) -> None:
        """Return when it is on disk there. Idempotent. Raises when nobody answers."""
        ...


class Sender(Protocol):
    """The way to destinations."""

    async def send(self, parcel: Parcel) -> Answer:
        """Try once, within the destination's time-out. What goes wrong on the way is an answer."""
        ...


@runtime_checkable
class Lookup(Protocol):
    """The way to ask a destination about rows whose answer was lost."""

    async def look_up(self, parcel: Parcel) -> Answer | None:
        """Ask what became of the rows: CREATED for one that arrived as it was sent, PENDING for one to send again.

        Refused or NoAnswer: it could not be asked now. None: a destination of this kind can never tell.
        """
        ...


class Echoes(Protocol):
    """What was written to systems that may also be read."""

    async def remember(self, destination: Destination, records: Sequence[Written]) -> None:
        """Keep what was written last of each record. Fields that were not written stay as they were."""
        ...

    async def recognize(self, systems: Sequence[str], seen: Sequence[Written]) -> Sequence[bool]:
        """Tell of each record whether all its values, at least one, were written so last to one of the systems."""
        ...


class UrlGuard(Protocol):
    """Where the hub may call."""

    async def objection(self, url: str) -> str | None:
        """Say why the URL may not be called. None: it may be, as far as is known now."""
        ...


class Tickets(Protocol):
    """Who brings deliveries here."""

    async def waiting(self) -> int | None:
        """Tell how many tickets were not dealt with yet. None: nobody says."""
        ...


class Alarm(Protocol):
    """Wakes the scheduler."""

    def ring(self, destination_id: DestinationId, *, at: datetime) -> None:
        """Look for due deliveries of the destination at that time."""
        ...


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Give the time with its zone."""
        ...


Chance = Callable[[], float]
"""A random number in [0, 1)."""
RandomBytes = Callable[[int], bytes]
"""That many unpredictable bytes."""
