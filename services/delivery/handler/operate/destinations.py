"""Destinations: made, changed, paused, deleted, looked at."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.delivery.domain.delivery import Attempt, ChunkId
from services.delivery.domain.destination import (
    DIRECTORY,
    SECRET_BYTES,
    Destination,
    DestinationId,
    DestinationKind,
    default_chunk_size,
    default_concurrency,
    directory,
    make_destination_id,
    make_secret,
    parse_secret,
)
from services.delivery.domain.errors import (
    DeliveryNotFoundError,
    DestinationInUseError,
    DestinationNotFoundError,
    DirectoryExistsError,
    InvalidDestinationError,
    NoSecretError,
    Violation,
)
from services.delivery.domain.flow import DestinationHealth
from services.delivery.domain.settings import Changes, change
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
from services.delivery.ports.operating import Clearing, Clients, DeadLetters, Errors, Register, Sources, Vitals

DEFAULT_OVERLAP = timedelta(hours=24)
LAST_ERRORS = 10
MOST_SECRETS = 5
"""That sign at once: more rotations within one overlap let the oldest go early."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """A destination and how it fares."""

    destination: Destination
    waiting: Waiting
    health: DestinationHealth
    next_attempt_at: datetime | None
    last_errors: Sequence[Attempt]
    dead_letters: int


_CHUNKS_AT_ONCE = 100
_MOST_ATTEMPTS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """What destinations are operated with."""

    destinations: Destinations
    register: Register
    switch: PauseSwitch
    backlog: Backlog
    attempts: Attempts
    errors: Errors
    dead_letters: DeadLetters
    vitals: Vitals
    clients: Clients
    sources: Sources
    clearing: Clearing
    guard: UrlGuard
    alarm: Alarm
    clock: Clock
    random: RandomBytes


class Operator:
    """The operator's view of destinations."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def ensure_directory(self) -> None:
        """See to it that the built-in contact book is a destination."""
        await self._office.destinations.put(directory(now=self._office.clock.now()))

    async def create(self, kind: DestinationKind, changes: Changes) -> Destination:
        """Create one; what is not given has its default. Raises InvalidDestinationError, DirectoryExistsError."""
        if kind is DestinationKind.DIRECTORY:
            raise DirectoryExistsError
        blank = Destination(
            destination_id=make_destination_id(self._office.random(10)),
            name=kind,
            kind=kind,
            created_at=self._office.clock.now(),
            chunk_size=default_chunk_size(kind),
            concurrency=default_concurrency(kind),
        )
        destination = change(blank, changes)
        await self._refuse_forbidden(destination.url)
        if kind is DestinationKind.WEBHOOK and not destination.secrets:
            destination = replace(destination, secrets=(make_secret(self._office.random(SECRET_BYTES)),))
        await self._office.destinations.put(destination)
        return destination

    async def update(self, destination_id: DestinationId, changes: Changes) -> Destination:
        """Change what is given. Raises InvalidDestinationError, DestinationNotFoundError."""
        if changes.url:
            await self._refuse_forbidden(changes.url)
        changed = await self._office.register.change(destination_id, lambda known: change(known, changes))
        return _found(changed)

    async def rotate_secret(
        self, destination_id: DestinationId, *, secret: str = "", overlap: timedelta | None = None
    ) -> Destination:
        """Give a new secret, made here when none is given; the old ones sign as well for a while.

        Raises InvalidDestinationError, NoSecretError, DestinationNotFoundError.
        """
        new = parse_secret(secret) if secret else make_secret(self._office.random(SECRET_BYTES))
        now = self._office.clock.now()
        until = now + (DEFAULT_OVERLAP if overlap is None else overlap)

        def rotated(known: Destination) -> Destination:
            if known.kind is not DestinationKind.WEBHOOK:
                raise NoSecretError
            old = known.signing_secrets(at=now)
            return replace(known, secrets=(new, *old)[:MOST_SECRETS], old_secrets_until=until)

        return _found(await self._office.register.change(destination_id, rotated))

    async def delete(self, destination_id: DestinationId, *, discard_backlog: bool) -> int:
        """Delete it; tell how many deliveries that waited end as failed.

        Raises DestinationNotFoundError, DestinationInUseError.
        """
        _found(await self._office.destinations.find(destination_id))
        if destination_id == DIRECTORY:
            raise DestinationInUseError(
                "The contact book is a part of the hub and cannot be deleted; it can be paused."
            )
        if clients := await self._office.clients.senders_to(destination_id):
            raise DestinationInUseError(
                f"Clients send to it: {', '.join(clients)}. Give them other destinations first."
            )
        if sources := await self._office.sources.leading_to(destination_id):
            raise DestinationInUseError(
                f"Sources lead to it: {', '.join(sources)}. Give them other destinations first."
            )
        waiting = await self._office.backlog.waiting(destination_id)
        if waiting.count and not discard_backlog:
            raise DestinationInUseError(
                f"{waiting.count} deliveries wait for it. Discard the backlog to delete it anyway."
            )
        await self._office.register.remove(destination_id)
        await self._office.clearing.clear(destination_id)
        return waiting.count

    async def list(self) -> Sequence[Destination]:
        """Give all, by name, then id."""
        return await self._office.destinations.list()

    async def get(self, destination_id: DestinationId) -> Overview:
        """Give one and how it fares. Raises DestinationNotFoundError."""
        office = self._office
        return Overview(
            destination=_found(await office.destinations.find(destination_id)),
            waiting=await office.backlog.waiting(destination_id),
            health=await office.vitals.health(destination_id),
            next_attempt_at=await office.backlog.next_due(destination_id),
            last_errors=await office.errors.last_errors(destination_id, limit=LAST_ERRORS),
            dead_letters=await office.dead_letters.count(destination_id),
        )

    async def pause(self, destination_id: DestinationId, *, reason: str = "") -> Destination:
        """Stop sending; what waits is kept, and what is under way ends. Raises DestinationNotFoundError."""
        return _found(await self._office.switch.set_paused(destination_id, paused=True, reason=reason))

    async def resume(self, destination_id: DestinationId) -> Destination:
        """Send again, what became due first first. Raises DestinationNotFoundError."""
        destination = _found(await self._office.switch.set_paused(destination_id, paused=False))
        self._office.alarm.ring(destination_id, at=self._office.clock.now())
        return destination

    async def attempts(self, chunk_id: ChunkId, destination_id: DestinationId) -> Sequence[Attempt]:
        """Give the tries, oldest first. Raises DeliveryNotFoundError."""
        attempts = await self._office.attempts.attempts(chunk_id, destination_id)
        if attempts is None:
            raise DeliveryNotFoundError
        return attempts

    async def attempts_of(self, job_id: str, *, first_chunk: int) -> Sequence[Attempt]:
        """Give the tries of a job's chunks from this one on, oldest first; of many the latest."""
        chunk_ids = [ChunkId(f"{job_id}.{first_chunk + place}") for place in range(_CHUNKS_AT_ONCE)]
        return await self._office.attempts.attempts_of(chunk_ids, limit=_MOST_ATTEMPTS)

    async def forget_answers(self, chunk_ids: Sequence[ChunkId]) -> None:
        """Forget what came back from the tries of these chunks."""
        await self._office.errors.forget_answers_of(chunk_ids)

    async def _refuse_forbidden(self, url: str) -> None:
        objection = await self._office.guard.objection(url)
        if objection is not None:
            raise InvalidDestinationError(Violation("/url", "forbidden_url", objection))


def _found(destination: Destination | None) -> Destination:
    if destination is None:
        raise DestinationNotFoundError
    return destination
