"""How a destination answered one try, and what that means for the delivery: one function decides."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum

RETRYABLE = frozenset({408, 425, 429})
NO_ANSWER_UPSTREAM = frozenset({502, 504})
"""A gateway's word that it lost the answer of the system behind it."""
BLAMES_DESTINATION = frozenset({401, 403, 410})
"""Said of the destination, not of the contacts: no other parcel would fare better until an operator mends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFailure:
    """Why one row failed: a sentence without contact data, at most 512 characters."""

    position: int
    """Its place in the chunk, from 0."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The destination took the parcel, or some rows of it.

    `states` has a RowState byte per row sent, in order. PENDING are rows that it asks to be sent again; the others are
    final.
    """

    states: bytes
    failures: tuple[RowFailure, ...] = ()
    """Positions count the rows that were sent. Also why a row that was taken was not taken whole."""
    status: int = 200
    retry_after: timedelta | None = None
    """When rows are pending: no sooner than after this."""
    message: str = ""
    """When rows are pending: why, as a sentence without contact data."""
    strained: bool = False
    """The system itself was busy or failing, with `status`: nothing more is sent to it now."""
    body: bytes = field(default=b"", repr=False)
    """The answer as it came, for operators alone: at most 64 KiB, may hold contact data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The destination answered, and did not take the parcel."""

    status: int
    message: str
    """A sentence without contact data, so never the answer's own text."""
    retry_after: timedelta | None = None
    body: bytes = field(default=b"", repr=False)
    """As in Taken."""
    by_destination: bool = False
    """It is about the destination and not the contacts, whatever the status: no part of them would fare better."""


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
    PAUSE = "pause"
    """Only an operator can mend it: the rows wait, and the destination is paused when it goes on like this."""
    UNKNOWN = "unknown"


def classify(answer: Answer, *, idempotent: bool) -> AnswerClass:
    """Decide by the table in services/delivery/README.md. Whether tries are left is not asked here."""
    match answer:
        case Taken():
            return AnswerClass.SENT
        case NoAnswer(reached=reached):
            return AnswerClass.UNKNOWN if reached and not idempotent else AnswerClass.RETRY
        case Refused(status=status) if _may_have_been_taken(status) and not idempotent:
            return AnswerClass.UNKNOWN
        case Refused() if blames_destination(answer):
            return AnswerClass.PAUSE
        case Refused(status=status):
            return AnswerClass.RETRY if _is_passing(status) else AnswerClass.GIVE_UP


def _may_have_been_taken(status: int) -> bool:
    """A success that did not say so in the way that was agreed on counts too."""
    return status in NO_ANSWER_UPSTREAM or 200 <= status < 300


def _is_passing(status: int) -> bool:
    return status in RETRYABLE or status >= 500 or 200 <= status < 300


def blames_destination(answer: Answer) -> bool:
    """Tell whether the answer was about the destination: its credentials, its address, its licence."""
    return isinstance(answer, Refused) and (answer.by_destination or answer.status in BLAMES_DESTINATION)
