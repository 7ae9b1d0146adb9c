"""A part that is sent contact by contact: each row has its own end, and what ends them all ends the part."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from libs.egress import Unanswered
from services.delivery.domain.answer import (
    RETRYABLE,
    Answer,
    AnswerClass,
    NoAnswer,
    Refused,
    RowFailure,
    Taken,
    classify,
)
from services.delivery.domain.delivery import RowState
from services.delivery.sender.api import Said
from services.delivery.sender.contacts import Contact
from services.delivery.sender.spelling import Known

AT_ONCE = 8
"""Contacts of one part under way together."""
FAULTS_IN_A_ROW = 3
"""Answers of 5xx or none, with no other between them, after which the rest of a part is left for later."""
MOST_BODY = 64 * 1024
LONGEST_REASON = 512

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why a contact has to be sent again. `ends_part`: no other would fare better now."""

    status: int = 0
    """0: no answer."""
    message: str
    reached: bool = True
    """Without an answer: something may have arrived."""
    wrote: bool = True
    """It was said of a write; after a question something is as it was."""
    retry_after: timedelta | None = None
    by_destination: bool = False
    ends_part: bool = False

    @property
    def is_of_system(self) -> bool:
        """It says something of the system at this moment, and not only of one contact."""
        return self.ends_part or not self.status or self.status >= 500 or self.status in RETRYABLE

    @property
    def _is_lost(self) -> bool:
        said = Refused(status=self.status, message="", by_destination=self.by_destination)
        return classify(said, idempotent=False) is AnswerClass.UNKNOWN if self.status else self.reached

    def answer(self, body: bytes, *, idempotent: bool) -> Answer:
        """The same, said of the part. Where a write must not be repeated, it counts that this was none."""
        if not self.status or (not idempotent and not self.wrote and self._is_lost):
            return NoAnswer(message=self.message, reached=self.reached and self.wrote)
        return Refused(
            status=self.status,
            message=self.message,
            retry_after=self.retry_after,
            body=body,
            by_destination=self.by_destination,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RowEnd:
    """What became of one contact."""

    state: RowState
    reason: str = ""
    """A sentence without contact data. Also of a contact that was taken, but not whole."""
    trouble: Trouble | None = None
    """When it is pending."""
    body: bytes = field(default=b"", repr=False)
    """What the system said, when that is not plain success."""


def again(trouble: Trouble, body: bytes = b"") -> RowEnd:
    """A contact that has to be sent again."""
    return RowEnd(state=RowState.PENDING, trouble=trouble, body=body)


def failed(reason: str, body: bytes = b"") -> RowEnd:
    """A contact that the system does not take."""
    return RowEnd(state=RowState.FAILED, reason=reason, body=body)


def unsupported(reason: str) -> RowEnd:
    """A wish that the system knows nothing of."""
    return RowEnd(state=RowState.UNSUPPORTED, reason=reason)


def trouble_of(answer: Said | Unanswered, *, wrote: bool, by_destination: bool = False) -> Trouble:
    """Read an answer after which a contact is sent again. `wrote`: what it answered was a write."""
    if isinstance(answer, Unanswered):
        return Trouble(message=answer.message, reached=answer.reached, wrote=wrote, ends_part=not answer.reached)
    readable = answer.status >= 300 or answer.data is not None
    return Trouble(
        status=answer.status,
        message=f"It answered {answer.status}{'' if readable else ', and what it said cannot be read'}.",
        wrote=wrote,
        retry_after=answer.retry_after,
        by_destination=by_destination,
        ends_part=by_destination or answer.status == 429 or answer.retry_after is not None,
    )


FAULT = Trouble(status=500, message="The hub failed while it was sending the contact.")

SendRow = Callable[[Contact], Awaitable[RowEnd]]


class Part:
    """Sends the contacts of a part, several at once, those of one identity one after the other: the last one wins.

    One whose answer was lost is pending, also where nothing may be repeated blindly: the next try finds it out.
    """

    def __init__(
        self, contacts: Sequence[Contact | None], *, idempotent: bool, identified_by: Known = Known.PHONE
    ) -> None:
        """`identified_by` is the field by which the system tells contacts apart, where they have it."""
        self._contacts = contacts
        self._identified_by = identified_by
        self._idempotent = idempotent
        self._ends: list[RowEnd | None] = [None] * len(contacts)
        self._trouble: Trouble | None = None
        self._faults = 0
        self._ended = False

    async def send(self, send_row: SendRow) -> Answer:
        """Send each, until all are through or the part is to end."""
        groups = iter(self._by_identity())
        async with asyncio.TaskGroup() as workers:
            for _ in range(min(AT_ONCE, len(self._contacts))):
                workers.create_task(self._work(groups, send_row))
        return self._answer()

    async def _work(self, groups: Iterator[Sequence[int]], send_row: SendRow) -> None:
        for group in groups:
            for at in group:
                if self._ended:
                    return
                end = await self._send_one(at, send_row)
                self._ends[at] = end
                self._heed(end.trouble)
                if end.state is RowState.PENDING:
                    break  # a later row of the same contact must not overtake it

    async def _send_one(self, at: int, send_row: SendRow) -> RowEnd:
        """A fault of the hub itself is the row's own: the others go on."""
        contact = self._contacts[at]
        if contact is None:
            return failed("The contact is not of the agreed shape.")
        try:
            return await send_row(contact)
        except Exception as fault:  # noqa: BLE001 - whatever failed, the row ends in a state that somebody sees
            log.error("contact_not_sent", why=type(fault).__name__)  # noqa: TRY400 - its text may hold the contact
            return again(FAULT)

    def _by_identity(self) -> Sequence[Sequence[int]]:
        groups: dict[str, list[int]] = {}
        for at, contact in enumerate(self._contacts):
            identity = "" if contact is None else contact.identity(self._identified_by)
            groups.setdefault(identity or f"#{at}", []).append(at)
        return list(groups.values())

    def _heed(self, trouble: Trouble | None) -> None:
        if trouble is None:
            self._faults = 0
            return
        self._faults += 1
        if self._trouble is None or trouble.ends_part:
            self._trouble = trouble
        self._ended = self._ended or trouble.ends_part or self._faults >= FAULTS_IN_A_ROW

    def _answer(self) -> Answer:
        nothing_ended = all(end is None or end.state is RowState.PENDING for end in self._ends)
        if self._trouble is not None and self._trouble.is_of_system and nothing_ended:
            return self._trouble.answer(self._body(), idempotent=self._idempotent)
        return self._taken(self._trouble)

    def _taken(self, trouble: Trouble | None) -> Taken:
        states = bytes(RowState.PENDING if end is None else end.state for end in self._ends)
        pending = states.count(RowState.PENDING)
        asks = trouble is not None and pending > 0
        return Taken(
            states=states,
            failures=tuple(
                RowFailure(position=at, reason=end.reason[:LONGEST_REASON])
                for at, end in enumerate(self._ends)
                if end is not None and end.reason
            ),
            status=trouble.status if trouble is not None and asks else 200,
            retry_after=trouble.retry_after if trouble is not None and asks else None,
            strained=asks and self._ended,
            message=f"{pending} of {len(states)} contacts not taken: {trouble.message}" if asks and trouble else "",
            body=self._body(),
        )

    def _body(self) -> bytes:
        return b"\n".join(end.body for end in self._ends if end is not None and end.body)[:MOST_BODY]
