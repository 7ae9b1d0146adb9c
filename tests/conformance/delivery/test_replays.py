"""Replays survive whoever runs them."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from services.delivery.domain.delivery import RowState
from services.delivery.domain.replay import ItemState, Replay, ReplayId, ReplayItem
from tests.conformance.delivery.operating import OTHER, SECOND, Store
from tests.unit.delivery.world import HOOK, NOW, ref


def replay(name: str = "r1", *, at: timedelta = SECOND, total: int = 3) -> Replay:
    return Replay(
        replay_id=ReplayId(name),
        destination_id=HOOK,
        created_at=NOW + at,
        created_by="admin-1",
        states=frozenset({RowState.FAILED, RowState.UNKNOWN}),
        total=total,
    )


def item(chunk_id: str, *positions: int, of: str = "r1") -> ReplayItem:
    return ReplayItem(
        replay_id=ReplayId(of), chunk_id=ref(chunk_id).key.chunk_id, destination_id=HOOK, round=0, positions=positions
    )


async def test_a_replay_is_kept_and_adds_its_items_up(store: Store) -> None:
    items = [item("job.1", 0, 4), item("job.0", 7)]
    await store.replays.start(replay(), items)

    ended = replace(items[0], state=ItemState.ENDED, round=1, done=1, failed=1)
    kept = [await store.replays.keep(items[0], ended) for _ in range(2)]

    assert kept == [True, False]
    assert await store.replays.find(ReplayId("r1")) == replace(replay(), done=1, failed=1)
    assert await store.replays.open_items(ReplayId("r1")) == [items[1]]
    assert await store.replays.find(ReplayId("none")) is None


async def test_of_many_that_take_an_item_on_one_does(store: Store) -> None:
    known = item("job.0", 1)
    await store.replays.start(replay(), [known])

    kept = await asyncio.gather(
        *(store.replays.keep(known, replace(known, state=ItemState.RUNNING, round=number)) for number in range(1, 9))
    )

    assert sum(kept) == 1


async def test_replays_are_listed_latest_first_and_open_ones_oldest_first(store: Store) -> None:
    for index in range(3):
        await store.replays.start(replay(f"r{index}", at=index * SECOND), [item("job.0", 1, of=f"r{index}")])

    await store.replays.complete(ReplayId("r1"), at=NOW + 9 * SECOND)
    await store.replays.complete(ReplayId("r1"), at=NOW + 99 * SECOND)

    assert [each.replay_id for each in await store.replays.list(HOOK, limit=2)] == ["r2", "r1"]
    assert [each.replay_id for each in await store.replays.unfinished()] == ["r0", "r2"]
    completed = await store.replays.find(ReplayId("r1"))
    assert completed is not None
    assert completed.completed_at == NOW + 9 * SECOND
    assert await store.replays.list(OTHER, limit=2) == []


async def test_a_replay_of_nothing_can_be_kept(store: Store) -> None:
    empty = replace(replay(total=0), completed_at=NOW)

    await store.replays.start(empty, [])

    assert await store.replays.find(ReplayId("r1")) == empty
    assert await store.replays.unfinished() == []
