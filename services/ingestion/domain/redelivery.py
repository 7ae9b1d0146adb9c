"""Rows that an operator has delivered again, or knows the fate of."""

from dataclasses import dataclass
from enum import IntEnum

from services.ingestion.domain.ids import ChunkId, DestinationId
from services.ingestion.domain.outcome import Delivery, RowState, again


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Rows of one chunk at one destination. `round`: the one after which they are to be delivered again."""

    chunk_id: ChunkId
    destination_id: DestinationId
    round: int
    positions: tuple[int, ...]
    states: frozenset[RowState]


class Verdict(IntEnum):
    """What is done with rows to deliver again; the numbers of contactsync.ingestion.v1.RedeliveryVerdict."""

    STARTED = 1
    LATER = 2
    UNFINISHED = 3
    NOTHING = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Redelivery:
    """What was done. `states` is empty when there is no such delivery."""

    verdict: Verdict
    round: int = 0
    states: bytes = b""


def redeliver(known: Delivery, selection: Selection) -> tuple[Redelivery, Delivery | None]:
    """What to answer, and the delivery in its next round when one begins.

    Asked twice, it begins one round: the second time the delivery has gone on from the round that was named.
    """
    if known.round > selection.round:
        return _told(Verdict.LATER, known), None
    if not known.state.final:
        return _told(Verdict.UNFINISHED, known), None
    started = again(known, selection.positions, states=selection.states)
    if started is None:
        return _told(Verdict.NOTHING, known), None
    return _told(Verdict.STARTED, started), started


def _told(verdict: Verdict, delivery: Delivery) -> Redelivery:
    return Redelivery(verdict=verdict, round=delivery.round, states=delivery.states)
