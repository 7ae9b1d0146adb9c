"""What becomes of a chunk at one destination, try by try."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from msgspec import Struct, field
from msgspec.structs import replace

from services.ingestion.domain.errors import Invalid, Violation
from services.ingestion.domain.ids import ChunkId, DestinationId


class RowState(IntEnum):
    """State of one row at one destination; numbers of contactsync.ingestion.v1.RowState, one byte per row."""

    PENDING = 1
    CREATED = 2
    UPDATED = 3
    UNCHANGED = 4
    REJECTED = 5
    FAILED = 6
    UNSUPPORTED = 7
    UNKNOWN = 8


class DeliveryState(IntEnum):
    """State of one chunk at one destination; the numbers are those of the store."""

    PENDING = 1
    SENDING = 2
    SENT = 3
    FAILED = 4

    @property
    def final(self) -> bool:
        """Nothing more will be tried in this round."""
        return self >= DeliveryState.SENT


TAKEN = (RowState.CREATED, RowState.UPDATED, RowState.UNCHANGED)
REPORTED = bytes((*TAKEN, RowState.PENDING, RowState.FAILED, RowState.UNSUPPORTED, RowState.UNKNOWN))


class Delivery(Struct, frozen=True, kw_only=True, gc=False):
    """A chunk at one destination.

    A round is what one ticket asks for: round 0 has all rows, a retry the failed ones, named by positions (empty: all).
    attempt_count counts the round's tries, earlier_attempts those of the rounds before. held: the chunk before it comes
    first. A Struct, as an outcome is: one is read, merged and written for each of them.
    """

    chunk_id: ChunkId
    index: int
    destination_id: DestinationId
    states: bytes
    state: DeliveryState = DeliveryState.PENDING
    round: int = 0
    positions: Sequence[int] = ()
    attempt_count: int = 0
    earlier_attempts: int = 0
    last_attempt_at: datetime | None = None
    next_attempt_at: datetime | None = None
    sent_at: datetime | None = None
    response_status_code: int = 0
    error_message: str = ""
    reasons: Mapping[int, str] = field(default_factory=dict)
    held: bool = False

    @property
    def attempts(self) -> int:
        """Tries so far, over all rounds."""
        return self.earlier_attempts + self.attempt_count

    def reason(self, position: int) -> str:
        """Why the row at this position failed, is unsupported or unknown, or what is to be known of it else."""
        common = self.error_message if self.states[position] >= RowState.FAILED else ""
        return self.reasons.get(position, common)


class Outcome(Struct, frozen=True, kw_only=True, gc=False):
    """What one try to deliver one chunk to one destination came to; row_states has a byte per row of the chunk."""

    chunk_id: ChunkId
    destination_id: DestinationId
    round: int
    attempt_count: int
    row_states: bytes
    final: bool
    attempted_at: datetime
    next_attempt_at: datetime | None = None
    response_status_code: int = 0
    error_message: str = ""
    reasons: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TicketRef:
    """A delivery that waits to be made known: ids and contexts, never contact data."""

    chunk_id: ChunkId
    destination_id: DestinationId
    round: int
    correlation_id: str
    traceparent: str
    positions: Sequence[int] = ()


def merge(known: Delivery, outcome: Outcome) -> Delivery | None:
    """The delivery after the outcome, or None where that changes nothing.

    What is final stays, of a delivery and of a row; an outcome of another round or of an older try is ignored.
    """
    if known.state.final or outcome.round != known.round or outcome.attempt_count < known.attempt_count:
        return None
    if len(outcome.row_states) != len(known.states):
        raise _mismatch(outcome)
    states = _merged_states(known, outcome)
    # It is done when no row is pending: so the job ends with its last row, whatever the outcome calls itself.
    done = RowState.PENDING not in states
    state = _state(states, final=done)
    return replace(
        known,
        states=states,
        state=state,
        attempt_count=outcome.attempt_count,
        last_attempt_at=outcome.attempted_at,
        next_attempt_at=None if done else outcome.next_attempt_at,
        sent_at=outcome.attempted_at if state is DeliveryState.SENT else known.sent_at,
        response_status_code=outcome.response_status_code,
        error_message=outcome.error_message,
        reasons={**_kept_reasons(known), **outcome.reasons} if known.reasons else outcome.reasons,
    )


def _kept_reasons(known: Delivery) -> dict[int, str]:
    """Of rows that were pending the outcome tells all there is to say."""
    return {at: reason for at, reason in known.reasons.items() if known.states[at] != RowState.PENDING}


def _merged_states(known: Delivery, outcome: Outcome) -> bytes:
    states = bytearray(known.states)
    for position in known.positions or range(len(states)):
        if states[position] == RowState.PENDING:
            states[position] = outcome.row_states[position]
    if not outcome.final:
        return bytes(states)
    # A final outcome leaves nothing pending: what became of a row that it forgot is not known.
    return bytes(states).replace(bytes([RowState.PENDING]), bytes([RowState.UNKNOWN]))


def _state(states: bytes, *, final: bool) -> DeliveryState:
    if not final:
        return DeliveryState.SENDING
    return DeliveryState.SENT if any(state in states for state in TAKEN) else DeliveryState.FAILED


def _mismatch(outcome: Outcome) -> Invalid:
    message = f"row_states of chunk {outcome.chunk_id} must have one byte per row"
    return Invalid(violations=[Violation("/outcomes", "row_states_length", message)])


def retry(known: Delivery) -> Delivery | None:
    """The next round of a finished delivery, for its failed rows; None when it has none or is not finished."""
    return again(known, range(len(known.states)), states={RowState.FAILED})


def again(known: Delivery, positions: Sequence[int], *, states: Collection[RowState]) -> Delivery | None:
    """The next round of a finished delivery, for those of its rows in one of the states; None as for `retry`."""
    taken_up = tuple(at for at in positions if at < len(known.states) and known.states[at] in states)
    if not known.state.final or not taken_up:
        return None
    return replace(
        known,
        states=_with(known.states, taken_up, RowState.PENDING),
        state=DeliveryState.SENDING,
        round=known.round + 1,
        positions=taken_up,
        attempt_count=0,
        earlier_attempts=known.attempts,
        next_attempt_at=None,
        error_message="",
        reasons={at: reason for at, reason in known.reasons.items() if at not in set(taken_up)},
    )


def resolve(known: Delivery, positions: Sequence[int], *, state: RowState, reason: str) -> Delivery | None:
    """The delivery after an operator's word for those of the rows that are unknown; None where that changes nothing."""
    resolved = [at for at in positions if at < len(known.states) and known.states[at] == RowState.UNKNOWN]
    if not resolved:
        return None
    states = _with(known.states, resolved, state)
    reasons = {at: text for at, text in known.reasons.items() if at not in set(resolved)}
    final = known.state.final
    return replace(
        known,
        states=states,
        state=_state(states, final=True) if final else known.state,
        sent_at=known.sent_at or (known.last_attempt_at if state in TAKEN else None),
        reasons=reasons | (dict.fromkeys(resolved, reason) if reason else {}),
    )


def _with(states: bytes, positions: Sequence[int], state: RowState) -> bytes:
    changed = bytearray(states)
    for position in positions:
        changed[position] = state
    return bytes(changed)


def spare(known: Delivery, positions: Sequence[int]) -> Delivery:
    """The delivery without rows that were erased: what no destination took is rejected now, all else stays true.

    It is not ended by this, even when nothing is left of it: it ends when it comes up, with all that hangs on its end.
    """
    states = bytearray(known.states)
    for position in positions:
        if states[position] in {RowState.PENDING, RowState.FAILED}:
            states[position] = RowState.REJECTED
    kept = {at: reason for at, reason in known.reasons.items() if at not in set(positions)}
    return replace(known, states=bytes(states), reasons=kept)


def retried_rows(deliveries: Sequence[Delivery]) -> int:
    """How many rows a running retry still has to deliver."""
    return sum(each.states.count(RowState.PENDING) for each in deliveries if each.round and not each.state.final)
