"""Dead letters that are sent again, as jobs that go on after every crash."""

import base64
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from services.delivery.domain.dead_letter import DeadLetter, DeadLetterFilter
from services.delivery.domain.delivery import DeliveryKey, RowState
from services.delivery.domain.destination import DestinationId
from services.delivery.domain.errors import (
    DestinationNotFoundError,
    InvalidSelectionError,
    ReplayNotFoundError,
    Violation,
)
from services.delivery.domain.replay import (
    ItemState,
    Replay,
    ReplayId,
    ReplayItem,
    answered,
    items_of,
    watched,
)
from services.delivery.handler.operate.dead_letters import check
from services.delivery.ports import Clock, Destinations, Ledger, RandomBytes
from services.delivery.ports.operating import DeadLetters, Place, Redeliveries, Replays, Selection

PAGE = 5000
LISTED = 100
CHUNKS_A_CALL = 64
MOST_UNDER_WAY = 256
"""Chunks of one replay that are asked for and have not ended: the rest waits, so that new imports are not buried."""
_DEFAULT = frozenset({RowState.FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOffice:
    """What replays are run with. `wake` tells who runs them that there is something to do."""

    replays: Replays
    dead_letters: DeadLetters
    destinations: Destinations
    ledger: Ledger
    redeliveries: Redeliveries
    clock: Clock
    random: RandomBytes
    wake: Callable[[], None]


class ReplayDesk:
    """The operator's view of replays, and what carries them on."""

    def __init__(self, office: ReplayOffice) -> None:
        self._office = office

    async def start(self, wanted: DeadLetterFilter, *, by: str, repeat_unknown: bool) -> Replay:
        """Begin to send the open ones that pass again; without states, the failed ones.

        Raises InvalidSelectionError, DestinationNotFoundError.
        """
        check(wanted)
        chosen = replace(wanted, states=wanted.states or _DEFAULT, closed=False)
        if RowState.UNKNOWN in chosen.states and not repeat_unknown:
            message = (
                "unknown rows may have arrived: say with repeat_unknown that they may be sent twice, or resolve them"
            )
            raise InvalidSelectionError(Violation("/repeat_unknown", "may_repeat", message))
        if await self._office.destinations.find(chosen.destination_id) is None:
            raise DestinationNotFoundError
        letters = await self._all(chosen)
        replay = Replay(
            replay_id=_make_id(self._office.random(10)),
            destination_id=chosen.destination_id,
            created_at=self._office.clock.now(),
            created_by=by,
            states=chosen.states,
            total=len(letters),
            completed_at=None if letters else self._office.clock.now(),
        )
        await self._office.replays.start(replay, items_of(letters, replay.replay_id))
        self._office.wake()
        return replay

    async def get(self, destination_id: DestinationId, replay_id: ReplayId) -> Replay:
        """Give one. Raises ReplayNotFoundError."""
        replay = await self._office.replays.find(replay_id)
        if replay is None or replay.destination_id != destination_id:
            raise ReplayNotFoundError
        return replay

    async def list(self, destination_id: DestinationId) -> Sequence[Replay]:
        """Give the latest. Raises DestinationNotFoundError."""
        found = await self._office.replays.list(destination_id, limit=LISTED)
        if not found and await self._office.destinations.find(destination_id) is None:
            raise DestinationNotFoundError
        return found

    async def advance(self) -> tuple[bool, bool]:
        """Take each replay one step on. Tells whether some are left, and whether anything moved.

        A step taken twice, after a crash or by two processes, asks ingestion for a round that there is already.
        """
        unfinished = await self._office.replays.unfinished()
        moved = [await self._advance(replay) for replay in unfinished]
        return bool(unfinished), any(moved)

    async def _advance(self, replay: Replay) -> bool:
        items = await self._office.replays.open_items(replay.replay_id)
        if not items:
            await self._office.replays.complete(replay.replay_id, at=self._office.clock.now())
            return True
        running = [item for item in items if item.state is ItemState.RUNNING]
        waiting = [item for item in items if item.state is ItemState.WAITING]
        room = max(0, MOST_UNDER_WAY - len(running))
        watched_over = await self._watch(running)
        return await self._ask(replay, waiting[:room]) or watched_over

    async def _watch(self, items: Sequence[ReplayItem]) -> bool:
        keys = {item: DeliveryKey(item.chunk_id, item.destination_id, item.round) for item in items}
        known = await self._office.ledger.find(list(keys.values())) if keys else {}
        return await self._keep_all(items, [watched(item, known.get(keys[item])) for item in items])

    async def _ask(self, replay: Replay, items: Sequence[ReplayItem]) -> bool:
        moved = False
        for some in _parts(items):
            selections = [
                Selection(
                    chunk_id=item.chunk_id,
                    destination_id=item.destination_id,
                    round=item.round,
                    positions=item.positions,
                    states=replay.states,
                )
                for item in some
            ]
            answers = await self._office.redeliveries.redeliver(selections)
            now = [answered(item, answer) for item, answer in zip(some, answers, strict=True)]
            moved = await self._keep_all(some, now) or moved
        return moved

    async def _keep_all(self, known: Sequence[ReplayItem], now: Sequence[ReplayItem]) -> bool:
        changed = [(before, after) for before, after in zip(known, now, strict=True) if before != after]
        for before, after in changed:
            await self._office.replays.keep(before, after)
        return bool(changed)

    async def _all(self, wanted: DeadLetterFilter) -> Sequence[DeadLetter]:
        letters: deque[DeadLetter] = deque()
        after: Place | None = None
        while found := await self._office.dead_letters.page(wanted, after=after, limit=PAGE):
            letters.extend(found)
            last = found[-1]
            after = Place(at=last.at, chunk_id=last.chunk_id, position=last.position)
        return letters


def _parts(items: Sequence[ReplayItem]) -> Iterator[Sequence[ReplayItem]]:
    rest = iter(items)
    while some := list(islice(rest, CHUNKS_A_CALL)):
        yield some


def _make_id(random: bytes) -> ReplayId:
    return ReplayId("replay-" + base64.b32encode(random).decode().lower())
