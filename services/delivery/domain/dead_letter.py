"""Rows that a destination did not take and that nobody tries again unasked."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.delivery.domain.delivery import ChunkId, Delivery, RowState
from services.delivery.domain.destination import DestinationId

DEAD = {RowState.FAILED: "failed", RowState.UNSUPPORTED: "unsupported", RowState.UNKNOWN: "unknown"}
_DEAD_BYTES = bytes(DEAD)


class ClosedAs(StrEnum):
    """How a dead letter left the list."""

    DISCARDED = "discarded"
    DELIVERED = "delivered"
    """An operator said that it had arrived."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """Who closed a dead letter, and why."""

    closed_as: ClosedAs
    at: datetime
    by: str
    """The client whose key did it."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One row at one destination."""

    chunk_id: ChunkId
    destination_id: DestinationId
    position: int
    round: int
    state: RowState
    """failed, unsupported or unknown."""
    reason: str
    """A sentence without contact data."""
    status: int
    at: datetime
    closing: Closing | None = None
    """None: it is open."""

    @property
    def job_id(self) -> str:
        """The import job: what stands before the chunk's number."""
        return job_of(self.chunk_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterFilter:
    """Which dead letters of a destination are meant. Every empty field lets all pass."""

    destination_id: DestinationId
    states: frozenset[RowState] = frozenset()
    since: datetime | None = None
    job_id: str = ""
    chunk_id: str = ""
    positions: frozenset[int] = frozenset()
    reason: str = ""
    """The dead letter's own contains it."""
    rows: frozenset[tuple[ChunkId, int]] = frozenset()
    """By chunk and position."""
    closed: bool = False
    """True: those that were closed pass, too."""

    def passes(self, letter: DeadLetter) -> bool:
        """Decide for one."""
        return (
            letter.destination_id == self.destination_id
            and (self.closed or letter.closing is None)
            and (not self.states or letter.state in self.states)
            and (self.since is None or letter.at >= self.since)
            and self.job_id in {"", letter.job_id}
            and self.chunk_id in {"", letter.chunk_id}
            and (not self.positions or letter.position in self.positions)
            and self.reason in letter.reason
            and (not self.rows or (letter.chunk_id, letter.position) in self.rows)
        )


def job_of(chunk_id: str) -> str:
    """Give the job that a chunk belongs to."""
    return chunk_id.rpartition(".")[0]


def can_change(delivery: Delivery) -> bool:
    """Whether the dead letters may be others after this delivery was stored; nearly none of a healthy hub may."""
    return delivery.ref.key.round > 0 or any(state in delivery.states for state in _DEAD_BYTES)


def buried(delivery: Delivery) -> Iterator[DeadLetter]:
    """Give the dead letters of a delivery that was tried, by position."""
    key, reasons = delivery.ref.key, {each.position: each.reason for each in delivery.failures}
    for position, state in enumerate(delivery.states):
        if state in _DEAD_BYTES:
            yield DeadLetter(
                chunk_id=key.chunk_id,
                destination_id=key.destination_id,
                position=position,
                round=key.round,
                state=RowState(state),
                reason=reasons.get(position, delivery.message),
                status=delivery.status,
                at=delivery.attempted_at or delivery.created_at,
            )
