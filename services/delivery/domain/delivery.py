"""One chunk on its way to one destination: what it is, what to do with it now, and what it becomes after a try."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import NewType, assert_never

from services.delivery.domain.answer import Answer, AnswerClass, NoAnswer, Refused, RowFailure, Taken, classify
from services.delivery.domain.destination import Destination, DestinationId

ChunkId = NewType("ChunkId", str)

LEASE_MARGIN = timedelta(seconds=15)
"""How much longer than its try's time-out a claim holds: room for the commit."""
LOST = NoAnswer(message="The hub stopped while it was sending, and the answer was lost.", reached=True)


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
    """Being sent to a destination that must not get it twice; from `due_at` on its answer counts as lost."""
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


FINAL = frozenset({DeliveryState.DONE, DeliveryState.FAILED, DeliveryState.UNKNOWN})


@dataclass(frozen=True, slots=True)
class DeliveryKey:
    """Names a delivery. `round` counts from 0 and grows when an operator asks for another."""

    chunk_id: ChunkId
    destination_id: DestinationId
    round: int = 0

    @property
    def delivery_id(self) -> str:
        """The id that the receiver sees: the same on every try of a round."""
        suffix = f".{self.round}" if self.round else ""
        return f"{self.chunk_id}.{self.destination_id}{suffix}"


@dataclass(frozen=True, slots=True)
class Ref:
    """A delivery that is asked for, with the request that it belongs to."""

    key: DeliveryKey
    correlation_id: str = ""
    traceparent: str = ""
    positions: tuple[int, ...] = ()
    """Which rows to send, ascending. Empty: all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What is known of a delivery. `states` is empty until its chunk was first seen."""

    ref: Ref
    state: DeliveryState
    created_at: datetime
    states: bytes = b""
    failures: tuple[RowFailure, ...] = ()
    attempt_count: int = 0
    due_at: datetime | None = None
    """When someone may next act on it: try it, or find its claim lapsed. None when final."""
    attempted_at: datetime | None = None
    status: int = 0
    message: str = ""

    @property
    def is_final(self) -> bool:
        """Nothing more will be tried."""
        return self.state in FINAL

    def is_due(self, now: datetime) -> bool:
        """Its time has come, and no claim holds it."""
        return self.due_at is not None and self.due_at <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try. `number` counts from 1 in its round."""

    key: DeliveryKey
    number: int
    started_at: datetime
    duration: timedelta
    status: int
    message: str


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
    """What a sender sends."""

    ref: Ref
    destination: Destination
    chunk: Chunk
    started_at: datetime

    @property
    def count(self) -> int:
        """How many rows are sent."""
        return len(self.ref.positions) or self.chunk.size


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
    if destination.paused:
        return Step.HOLD
    return Step.SEND if known is None and destination.idempotent else Step.CLAIM


def hold(ref: Ref, *, now: datetime) -> Delivery:
    """Let a delivery wait that was never tried."""
    return Delivery(ref=ref, state=DeliveryState.WAITING, created_at=now, due_at=now)


def claim(delivery: Delivery, destination: Destination, *, now: datetime) -> Delivery:
    """Take a delivery for one try: nobody else acts on it until the lease ends."""
    state = DeliveryState.WAITING if destination.idempotent else DeliveryState.SENDING
    return replace(delivery, state=state, due_at=now + destination.retry.timeout + LEASE_MARGIN)


def settle(
    delivery: Delivery, answer: Answer, *, destination: Destination, size: int, now: datetime, chance: float
) -> Delivery:
    """Return the delivery after one more try ended with the answer."""
    tried = _tried(delivery, answer, size=size, now=now)
    match classify(answer, idempotent=destination.idempotent):
        case AnswerClass.SENT:
            assert isinstance(answer, Taken)
            return _arrived(tried, answer)
        case AnswerClass.RETRY if tried.attempt_count < destination.retry.max_attempts:
            retry_after = answer.retry_after if isinstance(answer, Refused) else None
            pause = destination.retry.delay(tried.attempt_count, chance=chance, retry_after=retry_after)
            return replace(tried, state=DeliveryState.WAITING, due_at=now + pause)
        case AnswerClass.PAUSE:
            pause = destination.retry.delay(tried.attempt_count, chance=chance)
            return replace(tried, state=DeliveryState.WAITING, due_at=now + pause)
        case AnswerClass.RETRY | AnswerClass.GIVE_UP:
            return _ended(tried, DeliveryState.FAILED, RowState.FAILED)
        case AnswerClass.UNKNOWN:
            return _ended(tried, DeliveryState.UNKNOWN, RowState.UNKNOWN)
        case unreachable:
            assert_never(unreachable)


def spare(delivery: Delivery, chunk: Chunk) -> Delivery | None:
    """Return the delivery without the contacts that were erased. None: no contact is left to be sent."""
    erased = set(chunk.erased)
    left = tuple(at for at in delivery.ref.positions or range(chunk.size) if at not in erased)
    states = bytes(RowState.NOT_OURS if at in erased else state for at, state in enumerate(delivery.states))
    return replace(delivery, ref=replace(delivery.ref, positions=left), states=states) if left else None


def fail(delivery: Delivery, message: str, *, size: int, now: datetime) -> Delivery:
    """Return the delivery given up without a try."""
    tried = _tried(delivery, Refused(status=0, message=message), size=size, now=now)
    return _ended(tried, DeliveryState.FAILED, RowState.FAILED)


def lose(delivery: Delivery, *, size: int, now: datetime) -> Delivery:
    """Return the delivery after a claim lapsed: sent or not, nobody knows."""
    return _ended(_tried(delivery, LOST, size=size, now=now), DeliveryState.UNKNOWN, RowState.UNKNOWN)


def _tried(delivery: Delivery, answer: Answer, *, size: int, now: datetime) -> Delivery:
    return replace(
        delivery,
        states=delivery.states or _fresh_states(delivery.ref, size),
        attempt_count=delivery.attempt_count + 1,
        attempted_at=now,
        status=0 if isinstance(answer, NoAnswer) else answer.status,
        message="" if isinstance(answer, Taken) else answer.message,
    )


def _fresh_states(ref: Ref, size: int) -> bytes:
    if not ref.positions:
        return bytes([RowState.PENDING]) * size
    states = bytearray(size)
    for position in ref.positions:
        states[position] = RowState.PENDING
    return bytes(states)


def _arrived(delivery: Delivery, answer: Taken) -> Delivery:
    positions = delivery.ref.positions
    failures = answer.failures
    if positions:
        failures = tuple(replace(failure, position=positions[failure.position]) for failure in failures)
    return replace(
        delivery, state=DeliveryState.DONE, due_at=None, states=_laid(delivery, answer.states), failures=failures
    )


def _laid(delivery: Delivery, sent: bytes) -> bytes:
    if not delivery.ref.positions:
        return sent
    states = bytearray(delivery.states)
    for position, state in zip(delivery.ref.positions, sent, strict=True):
        states[position] = state
    return bytes(states)


def _ended(delivery: Delivery, state: DeliveryState, rows: RowState) -> Delivery:
    pending = bytes([RowState.PENDING])
    return replace(delivery, state=state, due_at=None, states=delivery.states.replace(pending, bytes([rows])))
