"""Dead letters in a database, SQLite or PostgreSQL."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Text,
    and_,
    bindparam,
    cast,
    delete,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.sql.base import Executable
from typing_extensions import override

from libs.storage import Database, Insert, Statement, Transaction, any_of, from_micros, table_of, to_micros
from services.delivery.domain.dead_letter import ClosedAs, Closing, DeadLetter, DeadLetterFilter, buried, can_change
from services.delivery.domain.delivery import ChunkId, Delivery, RowState
from services.delivery.domain.destination import DestinationId
from services.delivery.ports.operating import DeadLetters, Place
from services.delivery.store.tables import DeadLetterRow

Row = tuple[Any, ...]

_letters = table_of(DeadLetterRow)
_L = _letters.c
_COLUMNS = tuple(_letters.columns.keys())
_KEY = ("destination_id", "chunk_id", "position")
_CLOSING = ("closed_as", "closed_at", "closed_by", "closed_because")

_THESE = (_L.destination_id == bindparam("destination"), _L.chunk_id == bindparam("chunk"))
_EARLIER = (*_THESE, _L.round < bindparam("this_round"))
_RAISE_ALL = Statement(delete(_letters).where(*_EARLIER), "destination", "chunk", "this_round")
_RAISE = Statement(
    delete(_letters).where(*_EARLIER, any_of(_L.position, "positions")),
    "destination",
    "chunk",
    "this_round",
    "positions",
)


def _upsert(insert: Insert) -> Executable:
    put = insert(_letters).values({name: bindparam(name) for name in _COLUMNS})
    return put.on_conflict_do_update(
        index_elements=_KEY,
        set_={name: put.excluded[name] for name in _COLUMNS if name not in _KEY},
        where=_L.round < put.excluded.round,
    )


_BURY = Statement(_upsert, *_COLUMNS)
_FIND = Statement(
    select(_letters).where(*_THESE, _L.position == bindparam("at_position")), "destination", "chunk", "at_position"
)
_COUNT = Statement(
    select(func.count()).where(_L.destination_id == bindparam("destination"), _L.closed_as.is_(None)), "destination"
)


async def bury(transaction: Transaction, delivery: Delivery) -> None:
    """Keep the dead letters in step with a delivery that is being stored. Nearly always there is nothing to do."""
    if not can_change(delivery):
        return
    key, positions = delivery.ref.key, delivery.ref.positions
    if key.round and positions:
        await transaction.execute(_RAISE, (key.destination_id, key.chunk_id, key.round, list(positions)))
    elif key.round:
        await transaction.execute(_RAISE_ALL, (key.destination_id, key.chunk_id, key.round))
    rows = [_letter_row(letter) for letter in buried(delivery)]
    if rows:
        await transaction.execute_many(_BURY, rows)


class SqlDeadLetters(DeadLetters):
    """One row each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def page(self, wanted: DeadLetterFilter, *, after: Place | None, limit: int) -> Sequence[DeadLetter]:
        values = _values(wanted)
        place = () if after is None else (to_micros(after.at), after.chunk_id, after.position)
        statement = _pages(tuple(values), behind=after is not None)
        rows = await self._database.fetch(statement, (*values.values(), *place, limit))
        return [_read_letter(row) for row in rows]

    @override
    async def find(self, destination_id: DestinationId, chunk_id: ChunkId, position: int) -> DeadLetter | None:
        row = await self._database.fetch_one(_FIND, (destination_id, chunk_id, position))
        return None if row is None else _read_letter(row)

    @override
    async def count(self, destination_id: DestinationId) -> int:
        row = await self._database.fetch_one(_COUNT, (destination_id,))
        return 0 if row is None else int(row[0])

    @override
    async def close(self, wanted: DeadLetterFilter, closing: Closing) -> int:
        closed = (closing.closed_as.value, to_micros(closing.at), closing.by, closing.reason)
        return await self._change(wanted, dict(zip(_CLOSING, closed, strict=True)))

    @override
    async def refute(self, wanted: DeadLetterFilter, *, reason: str) -> int:
        return await self._change(wanted, {"state": RowState.FAILED.value, "reason": reason})

    async def _change(self, wanted: DeadLetterFilter, changes: dict[str, Any]) -> int:
        values = _values(wanted)
        statement = _updates(tuple(values), tuple(changes))

        async def unit(transaction: Transaction) -> int:
            return await transaction.execute(statement, (*changes.values(), *values.values()))

        return await self._database.write(unit)


def _values(wanted: DeadLetterFilter) -> dict[str, Any]:
    """The parameters of the conditions that the filter needs, in one order."""
    values: dict[str, Any] = {
        "of_destination": wanted.destination_id,
        "most_closed_at": None if wanted.closed else 0,
        "of_states": sorted(wanted.states) or None,
        "since": None if wanted.since is None else to_micros(wanted.since),
        "of_job": wanted.job_id or None,
        "of_chunk": wanted.chunk_id or None,
        "of_positions": sorted(wanted.positions) or None,
        "saying": wanted.reason or None,
        "in_chunks": sorted({chunk_id for chunk_id, _ in wanted.rows}) or None,
        "of_rows": sorted(f"{chunk_id}/{position}" for chunk_id, position in wanted.rows) or None,
    }
    return {name: value for name, value in values.items() if value is not None}


_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "of_destination": _L.destination_id == bindparam("of_destination"),
    "most_closed_at": func.coalesce(_L.closed_at, 0) <= bindparam("most_closed_at", type_=BigInteger),
    "of_states": any_of(_L.state, "of_states"),
    "since": _L.at >= bindparam("since"),
    "of_job": _L.job_id == bindparam("of_job"),
    "of_chunk": _L.chunk_id == bindparam("of_chunk"),
    "of_positions": any_of(_L.position, "of_positions"),
    # Not LIKE: its case and its wildcards differ from database to database.
    "saying": func.replace(_L.reason, bindparam("saying", type_=Text), "") != _L.reason,
    # Implied by the next, which no index serves.
    "in_chunks": any_of(_L.chunk_id, "in_chunks"),
    "of_rows": any_of(_L.chunk_id.concat(literal_column("'/'")).concat(cast(_L.position, Text)), "of_rows"),
}


@cache
def _pages(names: tuple[str, ...], *, behind: bool) -> Statement:
    query = select(_letters).where(*(_CONDITIONS[name] for name in names))
    parameters = [*names]
    if behind:
        parameters += ["at_time", "at_chunk", "at_position"]
        later = and_(_L.chunk_id == bindparam("at_chunk"), _L.position > bindparam("at_position"))
        same = and_(_L.at == bindparam("at_time"), or_(_L.chunk_id > bindparam("at_chunk"), later))
        # The first condition is implied by the second; by it the index is entered where the page begins.
        query = query.where(_L.at <= bindparam("at_time"), or_(_L.at < bindparam("at_time"), same))
    query = query.order_by(_L.at.desc(), _L.chunk_id, _L.position).limit(bindparam("most", type_=Integer))
    return Statement(query, *parameters, "most")


@cache
def _updates(names: tuple[str, ...], changed: tuple[str, ...]) -> Statement:
    query = update(_letters).where(*(_CONDITIONS[name] for name in names))
    query = query.values({name: bindparam(f"to_{name}") for name in changed})
    return Statement(query, *(f"to_{name}" for name in changed), *names)


def _letter_row(letter: DeadLetter) -> Row:
    """As it is when it is new: open."""
    return (
        letter.destination_id,
        letter.chunk_id,
        letter.position,
        letter.job_id,
        letter.round,
        letter.state.value,
        letter.reason,
        letter.status,
        to_micros(letter.at),
        *(None for _ in _CLOSING),
    )


def _read_letter(row: Row) -> DeadLetter:
    destination_id, chunk_id, position, _, number, state, reason, status, at, *closing = row
    return DeadLetter(
        chunk_id=ChunkId(chunk_id),
        destination_id=DestinationId(destination_id),
        position=position,
        round=number,
        state=RowState(state),
        reason=reason,
        status=status,
        at=from_micros(at),
        closing=_read_closing(*closing),
    )


def _read_closing(closed_as: str | None, at: int | None, by: str | None, because: str | None) -> Closing | None:
    if closed_as is None or at is None:
        return None
    return Closing(closed_as=ClosedAs(closed_as), at=from_micros(at), by=by or "", reason=because or "")
