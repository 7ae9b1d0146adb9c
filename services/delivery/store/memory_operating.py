"""Dead letters and replays in memory: for tests, and for a hub that need not remember."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from typing_extensions import override

from services.delivery.domain.dead_letter import Closing, DeadLetter, DeadLetterFilter, buried, can_change
from services.delivery.domain.delivery import ChunkId, Delivery, RowState
from services.delivery.domain.destination import DestinationId
from services.delivery.domain.replay import ItemState, Replay, ReplayId, ReplayItem
from services.delivery.ports.operating import DeadLetters, Place, Replays

_Key = tuple[DestinationId, ChunkId, int]


class MemoryDeadLetters(DeadLetters):
    """The dead letters."""

    def __init__(self) -> None:
        self._letters: dict[_Key, DeadLetter] = {}

    def bury(self, delivery: Delivery) -> None:
        """Keep in step with a delivery that is being stored."""
        if not can_change(delivery):
            return
        for key in [key for key, letter in self._letters.items() if _is_raised(letter, delivery)]:
            del self._letters[key]
        for letter in buried(delivery):
            self._letters.setdefault((letter.destination_id, letter.chunk_id, letter.position), letter)

    @override
    async def page(self, wanted: DeadLetterFilter, *, after: Place | None, limit: int) -> Sequence[DeadLetter]:
        await asyncio.sleep(0)
        found = sorted(self._passing(wanted), key=_order)
        if after is not None:
            behind = (-after.at.timestamp(), after.chunk_id, after.position)
            found = [each for each in found if _order(each) > behind]
        return found[:limit]

    @override
    async def find(self, destination_id: DestinationId, chunk_id: ChunkId, position: int) -> DeadLetter | None:
        return self._letters.get((destination_id, chunk_id, position))

    @override
    async def count(self, destination_id: DestinationId) -> int:
        return len(self._passing(DeadLetterFilter(destination_id=destination_id)))

    @override
    async def close(self, wanted: DeadLetterFilter, closing: Closing) -> int:
        return self._change(wanted, closing=closing)

    @override
    async def refute(self, wanted: DeadLetterFilter, *, reason: str) -> int:
        return self._change(wanted, state=RowState.FAILED, reason=reason)

    def _passing(self, wanted: DeadLetterFilter) -> list[DeadLetter]:
        return [each for each in self._letters.values() if wanted.passes(each)]

    def _change(self, wanted: DeadLetterFilter, **changes: Any) -> int:
        found = self._passing(wanted)
        for letter in found:
            self._letters[letter.destination_id, letter.chunk_id, letter.position] = replace(letter, **changes)
        return len(found)


def _is_raised(letter: DeadLetter, delivery: Delivery) -> bool:
    """Whether a later round takes the row up: it is not dead any more, whatever becomes of it."""
    key, positions = delivery.ref.key, delivery.ref.positions
    same = (letter.destination_id, letter.chunk_id) == (key.destination_id, key.chunk_id)
    return same and letter.round < key.round and (not positions or letter.position in positions)


def _order(letter: DeadLetter) -> tuple[float, str, int]:
    return -letter.at.timestamp(), letter.chunk_id, letter.position


class MemoryReplays(Replays):
    """The replays."""

    def __init__(self) -> None:
        self._replays: dict[ReplayId, Replay] = {}
        self._items: dict[tuple[ReplayId, ChunkId], ReplayItem] = {}

    @override
    async def start(self, replay: Replay, items: Sequence[ReplayItem]) -> None:
        await asyncio.sleep(0)
        self._replays[replay.replay_id] = replay
        self._items.update({(item.replay_id, item.chunk_id): item for item in items})

    @override
    async def find(self, replay_id: ReplayId) -> Replay | None:
        replay = self._replays.get(replay_id)
        return None if replay is None else self._counted(replay)

    @override
    async def list(self, destination_id: DestinationId, *, limit: int) -> Sequence[Replay]:
        found = [each for each in self._replays.values() if each.destination_id == destination_id]
        found.sort(key=lambda each: (-each.created_at.timestamp(), each.replay_id))
        return [self._counted(each) for each in found[:limit]]

    @override
    async def unfinished(self) -> Sequence[Replay]:
        found = [each for each in self._replays.values() if each.completed_at is None]
        return [self._counted(each) for each in sorted(found, key=lambda each: (each.created_at, each.replay_id))]

    @override
    async def open_items(self, replay_id: ReplayId) -> Sequence[ReplayItem]:
        await asyncio.sleep(0)
        found = [each for each in self._items.values() if each.replay_id == replay_id]
        return sorted((each for each in found if each.state is not ItemState.ENDED), key=lambda each: each.chunk_id)

    @override
    async def keep(self, known: ReplayItem, now: ReplayItem) -> bool:
        await asyncio.sleep(0)
        key = (known.replay_id, known.chunk_id)
        if self._items.get(key) != known:
            return False
        self._items[key] = now
        return True

    @override
    async def complete(self, replay_id: ReplayId, *, at: datetime) -> None:
        replay = self._replays.get(replay_id)
        if replay is not None and replay.completed_at is None:
            self._replays[replay_id] = replace(replay, completed_at=at)

    def _counted(self, replay: Replay) -> Replay:
        items = [each for each in self._items.values() if each.replay_id == replay.replay_id]
        return replace(
            replay,
            done=sum(each.done for each in items),
            failed=sum(each.failed for each in items),
            skipped=sum(each.skipped for each in items),
        )
