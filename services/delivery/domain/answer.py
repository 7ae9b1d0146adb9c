"""How a destination answered one try, and what that means for the delivery: one function decides."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

RETRYABLE = frozenset({408, 425, 429})
NO_ANSWER_UPSTREAM = frozenset({502, 504})
"""A gateway's word that it lost the answer of the system behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFailure:
    """Why one row failed: a sentence without contact data, at most 512 characters."""

    position: int
    """Its place in the chunk, from 0."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The destination took the parcel. `states` has a RowState byte per row sent, in order; none is pending."""

    states: bytes
    failures: tuple[RowFailure, ...] = ()
    """Positions count the rows that were sent."""
    status: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The destination answered, and did not take the parcel."""

    status: int
    message: str
    """A sentence without contact data, so never the answer's own text."""
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAnswer:
    """No answer came. `reached`: something of the parcel may have arrived."""

    message: str
    reached: bool


Answer = Taken | Refused | NoAnswer


class AnswerClass(Enum):
    """What an answer means for the delivery."""

    SENT = "sent"
    RETRY = "retry"
    GIVE_UP = "give up"
    UNKNOWN = "unknown"


def classify(answer: Answer, *, idempotent: bool) -> AnswerClass:
    """Decide by the table in services/delivery/README.md. Whether tries are left is not asked here."""
    match answer:
        case Taken():
            return AnswerClass.SENT
        case NoAnswer(reached=reached):
            return AnswerClass.UNKNOWN if reached and not idempotent else AnswerClass.RETRY
        case Refused(status=status) if status in NO_ANSWER_UPSTREAM and not idempotent:
            return AnswerClass.UNKNOWN
        case Refused(status=status) if status in RETRYABLE or status >= 500:
            return AnswerClass.RETRY
        case Refused():
            return AnswerClass.GIVE_UP
