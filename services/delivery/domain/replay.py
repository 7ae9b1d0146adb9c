"""Dead letters on their way once more."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, StrEnum
from typing import NewType, assert_never

from services.delivery.domain.dead_letter import DeadLetter
from services.delivery.domain.delivery import ChunkId, Delivery, RowState
from services.delivery.domain.destination import DestinationId

ReplayId = NewType("ReplayId", str)

TAKEN = frozenset({RowState.CREATED, RowState.UPDATED, RowState.UNCHANGED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What an operator asked to be sent again. It is done when every row has ended, one way or the other."""

    replay_id: ReplayId
    destination_id: DestinationId
    created_at: datetime
    created_by: str
    states: frozenset[RowState]
    """Only rows in these are sent again."""
    total: int
    done: int = 0
    failed: int = 0
    skipped: int = 0
    completed_at: datetime | None = None

    @property
    def left(self) -> int:
        """Rows that have not ended."""
        return self.total - self.done - self.failed - self.skipped


class ItemState(StrEnum):
    """Where a chunk of a replay stands."""

    WAITING = "waiting"
    """Its next round is to be asked for."""
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayItem:
    """The rows of one chunk. `round` is the one after which they are sent again; when RUNNING, the one they are in."""

    replay_id: ReplayId
    chunk_id: ChunkId
    destination_id: DestinationId
    round: int
    positions: tuple[int, ...]
    state: ItemState = ItemState.WAITING
    done: int = 0
    failed: int = 0
    skipped: int = 0


class Verdict(Enum):
    """What ingestion, which counts the rounds, did with rows to send again."""

    STARTED = "started"
    LATER = "later"
    """A later round than the one named runs or has ended."""
    UNFINISHED = "unfinished"
    NOTHING = "nothing"
    """None of the rows is to be sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redelivery:
    """Its answer. `states` is empty when it does not know the chunk."""

    verdict: Verdict
    round: int
    states: bytes


def items_of(letters: Iterable[DeadLetter], replay_id: ReplayId) -> Sequence[ReplayItem]:
    """Gather the rows by chunk."""
    chunks: dict[tuple[ChunkId, DestinationId], list[DeadLetter]] = {}
    for letter in letters:
        chunks.setdefault((letter.chunk_id, letter.destination_id), []).append(letter)
    return [
        ReplayItem(
            replay_id=replay_id,
            chunk_id=chunk_id,
            destination_id=destination_id,
            round=max(each.round for each in found),
            positions=tuple(sorted(each.position for each in found)),
        )
        for (chunk_id, destination_id), found in sorted(chunks.items())
    ]


def answered(item: ReplayItem, redelivery: Redelivery) -> ReplayItem:
    """Return the item after ingestion was asked."""
    match redelivery.verdict:
        case Verdict.STARTED | Verdict.LATER:
            return replace(item, state=ItemState.RUNNING, round=redelivery.round)
        case Verdict.UNFINISHED:
            return item
        case Verdict.NOTHING:
            states = (_state(redelivery.states, position) for position in item.positions)
            return _ended(item, [RowState.REJECTED if state is None else state for state in states])
        case unreachable:
            assert_never(unreachable)


def watched(item: ReplayItem, delivery: Delivery | None) -> ReplayItem:
    """Return a running item after a look at the round that it waits for.

    Rows that took no part in it were not its business: the round after it is asked for.
    """
    if delivery is None or not delivery.is_final:
        return item
    states = {position: _state(delivery.states, position) for position in item.positions}
    missing = tuple(position for position, state in states.items() if state is None)
    told = _count(item, [state for state in states.values() if state is not None])
    if missing:
        return replace(told, state=ItemState.WAITING, positions=missing)
    return replace(told, state=ItemState.ENDED)


def _state(states: bytes, position: int) -> RowState | None:
    if position >= len(states) or states[position] == RowState.NOT_OURS:
        return None
    return RowState(states[position])


def _ended(item: ReplayItem, states: Sequence[RowState]) -> ReplayItem:
    return replace(_count(item, states), state=ItemState.ENDED)


def _count(item: ReplayItem, states: Sequence[RowState]) -> ReplayItem:
    done = sum(state in TAKEN for state in states)
    skipped = sum(state is RowState.REJECTED for state in states)
    failed = len(states) - done - skipped
    return replace(item, done=item.done + done, failed=item.failed + failed, skipped=item.skipped + skipped)
