"""Replays in a database, SQLite or PostgreSQL."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, bindparam, func, select, update
from sqlalchemy import insert as insert_into
from typing_extensions import override

from libs.storage import Database, Statement, Transaction, from_micros, table_of, to_micros
from services.delivery.domain.delivery import ChunkId, RowState
from services.delivery.domain.destination import DestinationId
from services.delivery.domain.replay import ItemState, Replay, ReplayId, ReplayItem
from services.delivery.ports.operating import Replays
from services.delivery.store.tables import ReplayItemRow, ReplayRow

Row = tuple[Any, ...]

_replays, _items = table_of(ReplayRow), table_of(ReplayItemRow)
_R, _I = _replays.c, _items.c
_REPLAY_COLUMNS, _ITEM_COLUMNS = tuple(_replays.columns.keys()), tuple(_items.columns.keys())
_CHANGING = ("round", "positions", "state", "done", "failed", "skipped")

_ADD_REPLAY = Statement(
    insert_into(_replays).values({name: bindparam(name) for name in _REPLAY_COLUMNS}), *_REPLAY_COLUMNS
)
_ADD_ITEM = Statement(insert_into(_items).values({name: bindparam(name) for name in _ITEM_COLUMNS}), *_ITEM_COLUMNS)
_counted = (
    select(_replays, func.sum(_I.done), func.sum(_I.failed), func.sum(_I.skipped))
    .join_from(_replays, _items, _R.replay_id == _I.replay_id, isouter=True)
    .group_by(*_replays.columns)
)
_FIND = Statement(_counted.where(_R.replay_id == bindparam("replay")), "replay")
_LIST = Statement(
    _counted.where(_R.destination_id == bindparam("destination"))
    .order_by(_R.created_at.desc(), _R.replay_id)
    .limit(bindparam("most", type_=Integer)),
    "destination",
    "most",
)
_UNFINISHED = Statement(_counted.where(_R.completed_at.is_(None)).order_by(_R.created_at, _R.replay_id))
_OPEN_ITEMS = Statement(
    select(_items).where(_I.replay_id == bindparam("replay"), _I.state != ItemState.ENDED.value).order_by(_I.chunk_id),
    "replay",
)
_KEEP = Statement(
    update(_items)
    .where(
        _I.replay_id == bindparam("of_replay"),
        _I.chunk_id == bindparam("of_chunk"),
        *(_I[name] == bindparam(f"was_{name}") for name in _CHANGING),
    )
    .values({name: bindparam(f"to_{name}") for name in _CHANGING}),
    *(f"to_{name}" for name in _CHANGING),
    "of_replay",
    "of_chunk",
    *(f"was_{name}" for name in _CHANGING),
)
_COMPLETE = Statement(
    update(_replays)
    .where(_R.replay_id == bindparam("replay"), _R.completed_at.is_(None))
    .values(completed_at=bindparam("now")),
    "now",
    "replay",
)


class SqlReplays(Replays):
    """What a replay has come to is the sum of its items."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def start(self, replay: Replay, items: Sequence[ReplayItem]) -> None:
        rows = [_item_row(item) for item in items]

        async def unit(transaction: Transaction) -> None:
            await transaction.execute(_ADD_REPLAY, _replay_row(replay))
            if rows:
                await transaction.execute_many(_ADD_ITEM, rows)

        await self._database.write(unit)

    @override
    async def find(self, replay_id: ReplayId) -> Replay | None:
        row = await self._database.fetch_one(_FIND, (replay_id,))
        return None if row is None else _read_replay(row)

    @override
    async def list(self, destination_id: DestinationId, *, limit: int) -> Sequence[Replay]:
        return [_read_replay(row) for row in await self._database.fetch(_LIST, (destination_id, limit))]

    @override
    async def unfinished(self) -> Sequence[Replay]:
        return [_read_replay(row) for row in await self._database.fetch(_UNFINISHED)]

    @override
    async def open_items(self, replay_id: ReplayId) -> Sequence[ReplayItem]:
        return [_read_item(row) for row in await self._database.fetch(_OPEN_ITEMS, (replay_id,))]

    @override
    async def keep(self, known: ReplayItem, now: ReplayItem) -> bool:
        row = (*_changing(now), known.replay_id, known.chunk_id, *_changing(known))

        async def unit(transaction: Transaction) -> int:
            return await transaction.execute(_KEEP, row)

        return await self._database.write(unit) > 0

    @override
    async def complete(self, replay_id: ReplayId, *, at: datetime) -> None:
        async def unit(transaction: Transaction) -> int:
            return await transaction.execute(_COMPLETE, (to_micros(at), replay_id))

        await self._database.write(unit)


def _replay_row(replay: Replay) -> Row:
    return (
        replay.replay_id,
        replay.destination_id,
        to_micros(replay.created_at),
        replay.created_by,
        bytes(sorted(replay.states)),
        replay.total,
        None if replay.completed_at is None else to_micros(replay.completed_at),
    )


def _read_replay(row: Row) -> Replay:
    replay_id, destination_id, created_at, created_by, states, total, completed_at, *counts = row
    done, failed, skipped = (int(count or 0) for count in counts)
    return Replay(
        replay_id=ReplayId(replay_id),
        destination_id=DestinationId(destination_id),
        created_at=from_micros(created_at),
        created_by=created_by,
        states=frozenset(map(RowState, bytes(states))),
        total=total,
        done=done,
        failed=failed,
        skipped=skipped,
        completed_at=None if completed_at is None else from_micros(completed_at),
    )


def _item_row(item: ReplayItem) -> Row:
    return item.replay_id, item.chunk_id, item.destination_id, *_changing(item)


def _changing(item: ReplayItem) -> Row:
    return item.round, json.dumps(item.positions), item.state.value, item.done, item.failed, item.skipped


def _read_item(row: Row) -> ReplayItem:
    replay_id, chunk_id, destination_id, number, positions, state, done, failed, skipped = row
    return ReplayItem(
        replay_id=ReplayId(replay_id),
        chunk_id=ChunkId(chunk_id),
        destination_id=DestinationId(destination_id),
        round=number,
        positions=tuple(json.loads(positions)),
        state=ItemState(state),
        done=done,
        failed=failed,
        skipped=skipped,
    )
