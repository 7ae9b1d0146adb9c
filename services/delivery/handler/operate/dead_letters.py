"""Rows that a destination did not take: looked at, closed, resolved."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.delivery.domain.dead_letter import ClosedAs, Closing, DeadLetter, DeadLetterFilter
from services.delivery.domain.delivery import Attempt, ChunkId, RowState
from services.delivery.domain.destination import DestinationId
from services.delivery.domain.errors import (
    DeadLetterNotFoundError,
    DestinationNotFoundError,
    InvalidSelectionError,
    Violation,
)
from services.delivery.ports import Attempts, Clock, Destinations
from services.delivery.ports.operating import DeadLetters, Place, Redeliveries, Selection

RESOLVED_TOGETHER = 1000
"""Dead letters whose rows ingestion is told of before they are closed here."""
CHUNKS_A_CALL = 64
NOT_DELIVERED = "An operator said that it had not arrived."


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterOffice:
    """What dead letters are operated with."""

    dead_letters: DeadLetters
    destinations: Destinations
    attempts: Attempts
    redeliveries: Redeliveries
    clock: Clock


class DeadLetterDesk:
    """The operator's view of what was not taken. Nothing leaves it without a word of who, when and why."""

    def __init__(self, office: DeadLetterOffice) -> None:
        self._office = office

    async def page(self, wanted: DeadLetterFilter, *, after: Place | None, limit: int) -> Sequence[DeadLetter]:
        """Give those that pass, the latest first. Those of a destination that was deleted are still there.

        Raises InvalidSelectionError, DestinationNotFoundError.
        """
        check(wanted)
        found = await self._office.dead_letters.page(wanted, after=after, limit=limit)
        if not found:
            await self._expect(wanted.destination_id)
        return found

    async def get(
        self, destination_id: DestinationId, chunk_id: ChunkId, position: int
    ) -> tuple[DeadLetter, Sequence[Attempt]]:
        """Give one, open or closed, with the tries of its delivery. Raises DeadLetterNotFoundError."""
        letter = await self._office.dead_letters.find(destination_id, chunk_id, position)
        if letter is None:
            raise DeadLetterNotFoundError
        return letter, await self._office.attempts.attempts(chunk_id, destination_id) or []

    async def discard(self, wanted: DeadLetterFilter, *, by: str, reason: str) -> int:
        """Close the open ones that pass; tell how many. Raises InvalidSelectionError, DestinationNotFoundError."""
        check(wanted)
        closing = Closing(closed_as=ClosedAs.DISCARDED, at=self._office.clock.now(), by=by, reason=reason)
        discarded = await self._office.dead_letters.close(wanted, closing)
        if not discarded:
            await self._expect(wanted.destination_id)
        return discarded

    async def resolve(self, wanted: DeadLetterFilter, *, delivered: bool, by: str, reason: str) -> int:
        """Say of unknown rows that they had arrived (they are closed), or that they had not (they are failed).

        Ingestion, which has the job's view, is told first: a crash in between leaves them unknown here, and saying it
        again says the same. Raises InvalidSelectionError, DestinationNotFoundError.
        """
        check(wanted)
        unknown = replace(wanted, states=frozenset({RowState.UNKNOWN}), closed=False)
        resolved = 0
        while found := await self._office.dead_letters.page(unknown, after=None, limit=RESOLVED_TOGETHER):
            await self._tell(found, delivered=delivered)
            resolved += await self._close(found, delivered=delivered, by=by, reason=reason)
        if not resolved:
            await self._expect(wanted.destination_id)
        return resolved

    async def _tell(self, letters: Sequence[DeadLetter], *, delivered: bool) -> None:
        state = RowState.CREATED if delivered else RowState.FAILED
        reason = "" if delivered else NOT_DELIVERED
        selections = select(letters)
        for start in range(0, len(selections), CHUNKS_A_CALL):
            some = selections[start : start + CHUNKS_A_CALL]
            await self._office.redeliveries.resolve(some, state=state, reason=reason)

    async def _close(self, letters: Sequence[DeadLetter], *, delivered: bool, by: str, reason: str) -> int:
        closing = Closing(closed_as=ClosedAs.DELIVERED, at=self._office.clock.now(), by=by, reason=reason)
        count = 0
        for each in select(letters):
            chunk = DeadLetterFilter(
                destination_id=each.destination_id,
                chunk_id=each.chunk_id,
                positions=frozenset(each.positions),
                states=frozenset({RowState.UNKNOWN}),
            )
            if delivered:
                count += await self._office.dead_letters.close(chunk, closing)
            else:
                count += await self._office.dead_letters.refute(chunk, reason=NOT_DELIVERED)
        return count

    async def _expect(self, destination_id: DestinationId) -> None:
        if await self._office.destinations.find(destination_id) is None:
            raise DestinationNotFoundError


def check(wanted: DeadLetterFilter) -> None:
    """Raise InvalidSelectionError for rows without the chunk that they are in."""
    if wanted.positions and not wanted.chunk_id:
        raise InvalidSelectionError(Violation("/filter/positions", "no_chunk", "name the chunk of these rows as well"))


def select(letters: Sequence[DeadLetter]) -> Sequence[Selection]:
    """Gather rows by chunk."""
    chunks: dict[tuple[ChunkId, DestinationId], list[DeadLetter]] = {}
    for letter in letters:
        chunks.setdefault((letter.chunk_id, letter.destination_id), []).append(letter)
    return [
        Selection(
            chunk_id=chunk_id,
            destination_id=destination_id,
            round=max(each.round for each in found),
            positions=tuple(sorted(each.position for each in found)),
            states=frozenset(each.state for each in found),
        )
        for (chunk_id, destination_id), found in sorted(chunks.items())
    ]
