"""What an operator does with destinations."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.delivery.domain.delivery import Attempt, ChunkId
from services.delivery.domain.destination import (
    SECRET_BYTES,
    Destination,
    DestinationId,
    DestinationKind,
    RetrySchedule,
    default_chunk_size,
    directory,
    make_destination_id,
    make_secret,
    parse_secret,
)
from services.delivery.domain.errors import (
    DeliveryNotFoundError,
    DestinationNotFoundError,
    DirectoryExistsError,
    InvalidDestinationError,
    Violation,
)
from services.delivery.ports import (
    Alarm,
    Attempts,
    Backlog,
    Clock,
    Destinations,
    PauseSwitch,
    RandomBytes,
    UrlGuard,
    Waiting,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDestination:
    """A destination as asked for. `name` empty: its kind; `secret` empty: one is made."""

    name: str
    kind: DestinationKind
    url: str
    secret: str
    retry: RetrySchedule
    idempotent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """What destinations are operated with."""

    destinations: Destinations
    switch: PauseSwitch
    backlog: Backlog
    attempts: Attempts
    guard: UrlGuard
    alarm: Alarm
    clock: Clock
    random: RandomBytes


class Operator:
    """The operator's view of delivery."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def ensure_directory(self) -> None:
        """See to it that the built-in contact book is a destination."""
        await self._office.destinations.put(directory(now=self._office.clock.now()))

    async def create(self, new: NewDestination) -> Destination:
        """Create a webhook. Raises InvalidDestinationError, DirectoryExistsError."""
        if new.kind is DestinationKind.DIRECTORY:
            raise DirectoryExistsError
        await self._refuse_forbidden(new.url)
        secret = parse_secret(new.secret) if new.secret else make_secret(self._office.random(SECRET_BYTES))
        destination = Destination(
            destination_id=make_destination_id(self._office.random(10)),
            name=new.name or new.kind,
            kind=new.kind,
            created_at=self._office.clock.now(),
            url=new.url,
            secrets=(secret,),
            chunk_size=default_chunk_size(new.kind),
            retry=new.retry,
            idempotent=new.idempotent,
        )
        await self._office.destinations.put(destination)
        return destination

    async def list(self) -> Sequence[Destination]:
        """Give all, by name, then id."""
        return await self._office.destinations.list()

    async def get(self, destination_id: DestinationId) -> tuple[Destination, Waiting]:
        """Give one with its backlog. Raises DestinationNotFoundError."""
        destination = await self._office.destinations.find(destination_id)
        if destination is None:
            raise DestinationNotFoundError
        return destination, await self._office.backlog.waiting(destination_id)

    async def pause(self, destination_id: DestinationId) -> Destination:
        """Stop sending; what waits is kept, and what is under way ends. Raises DestinationNotFoundError."""
        return await self._switched(destination_id, paused=True)

    async def resume(self, destination_id: DestinationId) -> Destination:
        """Send again, what became due first first. Raises DestinationNotFoundError."""
        destination = await self._switched(destination_id, paused=False)
        self._office.alarm.ring(destination_id, at=self._office.clock.now())
        return destination

    async def attempts(self, chunk_id: ChunkId, destination_id: DestinationId) -> Sequence[Attempt]:
        """Give the tries, oldest first. Raises DeliveryNotFoundError."""
        attempts = await self._office.attempts.attempts(chunk_id, destination_id)
        if attempts is None:
            raise DeliveryNotFoundError
        return attempts

    async def _switched(self, destination_id: DestinationId, *, paused: bool) -> Destination:
        destination = await self._office.switch.set_paused(destination_id, paused=paused)
        if destination is None:
            raise DestinationNotFoundError
        return destination

    async def _refuse_forbidden(self, url: str) -> None:
        objection = await self._office.guard.objection(url)
        if objection is not None:
            raise InvalidDestinationError(Violation("/url", "forbidden_url", objection))
