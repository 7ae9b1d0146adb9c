"""One chunk on its way to one destination: what it is, and what to do with it now."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import NewType

from msgspec import Struct
from msgspec.structs import replace

from services.delivery.domain.answer import RowFailure
from services.delivery.domain.destination import Destination, DestinationId
from services.delivery.domain.parts import part_id

ChunkId = NewType("ChunkId", str)

LEASE_MARGIN = timedelta(seconds=15)
"""How much longer than its try's time-out a claim holds: room for the commit."""


class RowState(IntEnum):
    """contactsync.ingestion.v1.RowState: its numbers are the bytes of `states`."""

    NOT_OURS = 0
    """The row has no part in this round and stays as it is."""
    PENDING = 1
    CREATED = 2
    UPDATED = 3
    UNCHANGED = 4
    REJECTED = 5
    FAILED = 6
    UNSUPPORTED = 7
    UNKNOWN = 8


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    """To be tried at `due_at`, or when its destination is no longer paused."""
    SENDING = "sending"
    """Its part is being sent to a destination that must not get it twice; from `due_at` on its answer is lost."""
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


FINAL = frozenset({DeliveryState.DONE, DeliveryState.FAILED, DeliveryState.UNKNOWN})


class DeliveryKey(Struct, frozen=True, gc=False):
    """Names a delivery. `round` counts from 0 and grows when an operator asks for another."""

    chunk_id: ChunkId
    destination_id: DestinationId
    round: int = 0

    @property
    def delivery_id(self) -> str:
        """The id that the receiver sees: the same on every try of a round."""
        suffix = f".{self.round}" if self.round else ""
        return f"{self.chunk_id}.{self.destination_id}{suffix}"


class Ref(Struct, frozen=True, gc=False):
    """A delivery that is asked for, with the request that it belongs to."""

    key: DeliveryKey
    correlation_id: str = ""
    traceparent: str = ""
    positions: tuple[int, ...] = ()
    """Which rows to send, ascending. Empty: all."""


class Delivery(Struct, frozen=True, kw_only=True, gc=False):
    """What is known of a delivery. `states` is empty until its chunk was first seen.

    A Struct, as its key and ref are: each delivery is made four times, for a fortieth of what a dataclass costs.
    """

    ref: Ref
    state: DeliveryState
    created_at: datetime
    states: bytes = b""
    failures: tuple[RowFailure, ...] = ()
    attempt_count: int = 0
    """Tries so far, one per part sent."""
    tries: int = 0
    """How much of the retry schedule is used up, since the destination last brought a row to an end."""
    part: tuple[int, ...] = ()
    """The rows that are under way, or were last. Empty: all of the chunk."""
    passed: int = 0
    """Rows before this place had their turn in this pass; those of them that are pending wait for the next."""
    part_limit: int = 0
    """The most rows of a part since one was refused. 0: as many as the destination takes."""
    probes: int = 0
    """Requests that finding bad rows has cost."""
    is_tainted: bool = False
    """Pending rows of `part` may have arrived: it is under way, or its answer was lost or in doubt."""
    due_at: datetime | None = None
    """When someone may next act on it: try it, or find its claim lapsed. None when final."""
    attempted_at: datetime | None = None
    status: int = 0
    message: str = ""
    fence: int = 0
    """How often it was claimed. Whoever holds an older one has lost its lease, and records nothing any more."""

    @property
    def is_final(self) -> bool:
        """Nothing more will be tried."""
        return self.state in FINAL

    def is_due(self, now: datetime) -> bool:
        """Its time has come, and no claim holds it."""
        return self.due_at is not None and self.due_at <= now

    @property
    def goes_on(self) -> bool:
        """Its next part may go with no pause after the last: it neither waits for the schedule nor is in doubt."""
        return self.state is DeliveryState.WAITING and self.due_at == self.attempted_at

    @property
    def pending(self) -> int:
        """How many rows wait to be sent. Nothing is known of them before the chunk was first seen."""
        return self.states.count(RowState.PENDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try. `number` counts from 1 in its round."""

    key: DeliveryKey
    number: int
    started_at: datetime
    duration: timedelta
    status: int
    message: str
    answer: str = field(default="", repr=False)
    """What came back, where something was not taken. It may hold contact data: sealed at rest, and kept for a while."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """The contacts of a delivery, as bytes that nobody on the way reads."""

    chunk_id: ChunkId
    client_id: str
    size: int
    contacts: bytes = field(repr=False)
    created_at: datetime | None
    erased: tuple[int, ...] = ()
    """Positions of contacts of which nothing is left: they are not sent."""
    workspace_id: str = ""
    """Where in the contact book they land. Empty: the first workspace."""
    source_id: str = ""
    """The source they come from, whose external ids are its own. Empty: none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What a sender sends: the rows of `ref.positions`, ascending. Empty: all of the chunk."""

    ref: Ref
    destination: Destination
    chunk: Chunk
    started_at: datetime

    @property
    def count(self) -> int:
        """How many rows are sent."""
        return len(self.ref.positions) or self.chunk.size

    @property
    def part_id(self) -> str:
        """The id that the receiver sees: of the delivery when it is all of the chunk, else of exactly these rows."""
        return part_id(self.ref.key.delivery_id, self.ref.positions)


class Step(StrEnum):
    """What to do with a delivery that was asked for."""

    SEND = "send"
    CLAIM = "claim"
    """Send it once it is claimed: others may try it too, or a crash must leave a trace."""
    HOLD = "hold"
    REPORT = "report"
    LOSE = "lose"
    """A claim lapsed at a destination that must not get it twice: its answer is lost."""
    MISDIRECTED = "misdirected"


def decide(known: Delivery | None, destination: Destination | None, *, now: datetime) -> Step:
    """Decide what a ticket means, whether it is the first or a repeated one."""
    if known is not None and (known.is_final or not known.is_due(now)):
        return Step.REPORT
    if known is not None and known.state is DeliveryState.SENDING:
        return Step.LOSE
    if destination is None:
        return Step.MISDIRECTED
    if destination.is_held:
        return Step.HOLD
    return Step.SEND if known is None and destination.idempotent else Step.CLAIM


def hold(ref: Ref, *, now: datetime) -> Delivery:
    """Let a delivery wait that was never tried."""
    return Delivery(ref=ref, state=DeliveryState.WAITING, created_at=now, due_at=now)


def claim(delivery: Delivery, destination: Destination, *, now: datetime) -> Delivery:
    """Take a delivery over for sending its part: nobody else acts on it until the lease ends, nor who had it before."""
    return replace(lease(delivery, destination, now=now), fence=delivery.fence + 1)


def lease(delivery: Delivery, destination: Destination, *, now: datetime) -> Delivery:
    """Keep a delivery that is being sent, from now on for as long as its part may take."""
    state = DeliveryState.WAITING if destination.idempotent else DeliveryState.SENDING
    return replace(delivery, state=state, due_at=lease_end(destination, now=now), is_tainted=True)


def lease_end(destination: Destination, *, now: datetime) -> datetime:
    """Return until when nobody else takes up what is sent now."""
    return now + destination.part_timeout + LEASE_MARGIN
