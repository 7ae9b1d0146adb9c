"""The ledger in a database, SQLite or PostgreSQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Integer,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    null,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy import insert as insert_into
from sqlalchemy.sql.base import Executable
from typing_extensions import override

from libs.rpc import Batch
from libs.storage import Database, Insert, Statement, Transaction, any_of, from_micros, table_of, to_micros
from services.delivery.domain.delivery import Attempt, ChunkId, Delivery, DeliveryKey, DeliveryState
from services.delivery.domain.destination import DestinationId
from services.delivery.domain.watch import COUNTED, Late
from services.delivery.ports import Attempts, Backlog, Cipher, Ledger, Waiting
from services.delivery.ports.operating import Errors, Haste
from services.delivery.store.dead_letters import bury
from services.delivery.store.rows import attempt_row, delivery_row, read_attempt, read_delivery
from services.delivery.store.tables import AttemptRow, DeliveryRow

_deliveries, _attempts = table_of(DeliveryRow), table_of(AttemptRow)
_D, _A = _deliveries.c, _attempts.c
_COLUMNS = tuple(_deliveries.columns.keys())
_ATTEMPT_COLUMNS = tuple(_attempts.columns.keys())
_KEY = ("chunk_id", "destination_id", "round")
_OPEN = (DeliveryState.WAITING.value, DeliveryState.SENDING.value)
# What a later try changes: not the key, nor the request it belongs to, nor when it came.
_PROGRESS = ("tries", "part", "passed", "part_limit", "probes", "is_tainted")
_OUTCOME = ("state", "states", "failures", "attempt_count", *_PROGRESS, "due_at", "attempted_at", "status", "message")
# What choosing the next part changes.
_CLAIMED = ("state", "states", "failures", "part", "passed", "is_tainted", "due_at", "fence")

_FIND = Statement(select(_deliveries).where(any_of(_D.chunk_id, "chunk_ids")), "chunk_ids")


def _upsert_outcome(insert: Insert) -> Executable:
    put = insert(_deliveries).values({name: bindparam(name) for name in _COLUMNS})
    return put.on_conflict_do_update(
        index_elements=_KEY,
        set_={name: put.excluded[name] for name in _OUTCOME},
        where=and_(
            or_(*(_D.state == state for state in _OPEN)),
            _D.attempt_count < put.excluded.attempt_count,
            _D.fence == put.excluded.fence,
        ),
    )


def _upsert_claim(insert: Insert) -> Executable:
    put = insert(_deliveries).values({name: bindparam(name) for name in _COLUMNS})
    return put.on_conflict_do_update(
        index_elements=_KEY,
        set_={name: put.excluded[name] for name in _CLAIMED},
        where=and_(
            _D.state == DeliveryState.WAITING.value,
            _D.due_at <= bindparam("now"),
            _D.attempt_count == put.excluded.attempt_count,
            _D.fence < put.excluded.fence,
        ),
    )


_RECORD = Statement(_upsert_outcome, *_COLUMNS)
_CLAIM = Statement(_upsert_claim, *_COLUMNS, "now")
_ADD_ATTEMPT = Statement(
    insert_into(_attempts).values({name: bindparam(name) for name in _ATTEMPT_COLUMNS}), *_ATTEMPT_COLUMNS
)
_AT = _D.destination_id == bindparam("destination")
_DUE = Statement(
    select(_deliveries).where(_AT, _D.due_at <= bindparam("now")).order_by(_D.due_at).limit(bindparam("most")),
    "destination",
    "now",
    "most",
)
_PLACE = (_D.due_at, _D.chunk_id, _D.round)
_PAGE = Statement(
    select(_deliveries)
    .where(
        _AT,
        _D.due_at.is_not(None),
        tuple_(*_PLACE) > tuple_(bindparam("due_from"), bindparam("chunk_after"), bindparam("round_after")),
    )
    .order_by(*_PLACE)
    .limit(bindparam("most")),
    "destination",
    "due_from",
    "chunk_after",
    "round_after",
    "most",
)
_EXCHANGE = Statement(
    update(_deliveries)
    .where(
        *(getattr(_D, name) == bindparam(f"its_{name}") for name in _KEY),
        _D.state == DeliveryState.WAITING.value,
        _D.attempt_count == bindparam("known_count"),
        _D.due_at == bindparam("known_due"),
    )
    .values({name: bindparam(f"to_{name}") for name in _OUTCOME}),
    *(f"its_{name}" for name in _KEY),
    *(f"to_{name}" for name in _OUTCOME),
    "known_count",
    "known_due",
)
_OUTCOME_AT = tuple(_COLUMNS.index(name) for name in _OUTCOME)
_DUE_BY = (
    select(_D.due_at, _D.created_at, _D.attempt_count)
    .where(_AT, _D.due_at <= bindparam("due"))
    .order_by(_D.due_at)
    .limit(bindparam("most"))
    .subquery()
)
_NEVER_TRIED = and_(_DUE_BY.c.attempt_count == 0, _DUE_BY.c.created_at <= bindparam("came"))
_LATE = Statement(
    select(func.count(), func.count(case((_NEVER_TRIED, 1))), func.min(_DUE_BY.c.due_at)).select_from(_DUE_BY),
    "destination",
    "due",
    "came",
    "most",
)
_NEXT_DUE = Statement(select(func.min(_D.due_at)).where(_AT, _D.due_at.is_not(None)), "destination")
_WAITING = Statement(select(func.count(), func.min(_D.created_at)).where(_AT, _D.due_at.is_not(None)), "destination")
_THIS = (_D.chunk_id == bindparam("chunk"), _D.destination_id == bindparam("destination"))
_IS_KNOWN = Statement(select(_D.round).where(*_THIS).limit(1), "chunk", "destination")
_LIST_ATTEMPTS = Statement(
    select(_attempts)
    .where(_A.chunk_id == bindparam("chunk"), _A.destination_id == bindparam("destination"))
    .order_by(_A.round, _A.number),
    "chunk",
    "destination",
)
_ATTEMPTS_OF = Statement(
    select(*(column for column in _attempts.columns if column.name != "sealed_answer"), null())
    .where(any_of(_A.chunk_id, "chunks"))
    .order_by(_A.started_at.desc(), _A.number.desc())
    .limit(bindparam("most", type_=Integer)),
    "chunks",
    "most",
)
_LAST_ERRORS = Statement(
    select(_attempts)
    .where(_A.destination_id == bindparam("destination"), _A.message != literal_column("''"))
    .order_by(_A.started_at.desc())
    .limit(bindparam("most", type_=Integer)),
    "destination",
    "most",
)
_HASTEN = Statement(
    update(_deliveries)
    .where(_AT, _D.state == DeliveryState.WAITING.value, _D.due_at > bindparam("now"))
    .values(due_at=bindparam("now", type_=BigInteger)),
    "destination",
    "now",
)
_FORGET_ANSWERS = Statement(
    update(_attempts)
    .where(_A.sealed_answer.is_not(None), _A.started_at < bindparam("before"))
    .values(sealed_answer=null()),
    "before",
)
_FORGET_ANSWERS_OF = Statement(
    update(_attempts).where(any_of(_A.chunk_id, "chunks"), _A.sealed_answer.is_not(None)).values(sealed_answer=null()),
    "chunks",
)


class SqlLedger(Ledger, Backlog, Attempts, Errors, Haste):
    """Deliveries and their tries."""

    def __init__(self, database: Database, *, cipher: Cipher) -> None:
        """`cipher` seals what came back."""
        self._database = database
        self._cipher = cipher
        # Tickets that come together are looked up together.
        self._finds = Batch(self._find_all, limit=64)

    @override
    async def find(self, keys: Sequence[DeliveryKey]) -> Mapping[DeliveryKey, Delivery]:
        return await self._finds.ask(keys)

    @override
    async def claim(self, delivery: Delivery, *, now: datetime) -> bool:
        row = (*delivery_row(delivery), to_micros(now))

        async def unit(transaction: Transaction) -> int:
            return await transaction.execute(_CLAIM, row)

        return await self._database.write(unit) > 0

    @override
    async def record(self, delivery: Delivery, attempt: Attempt | None = None) -> bool:
        row = delivery_row(delivery)
        try_row = None if attempt is None else attempt_row(attempt, cipher=self._cipher)

        async def unit(transaction: Transaction) -> bool:
            if not await transaction.execute(_RECORD, row):
                return False
            if try_row is not None:
                await transaction.execute(_ADD_ATTEMPT, try_row)
            await bury(transaction, delivery)
            return True

        return await self._database.write(unit)

    @override
    async def exchange(self, known: Delivery, delivery: Delivery) -> bool:
        if known.due_at is None:
            return False
        whole = delivery_row(delivery)
        outcome = tuple(whole[at] for at in _OUTCOME_AT)
        row = (*whole[: len(_KEY)], *outcome, known.attempt_count, to_micros(known.due_at))

        async def unit(transaction: Transaction) -> bool:
            return await transaction.execute(_EXCHANGE, row) > 0

        return await self._database.write(unit)

    @override
    async def due(self, destination_id: DestinationId, *, now: datetime, limit: int) -> Sequence[Delivery]:
        rows = await self._database.fetch(_DUE, (destination_id, to_micros(now), limit))
        return [read_delivery(row) for row in rows]

    @override
    async def next_due(self, destination_id: DestinationId) -> datetime | None:
        row = await self._database.fetch_one(_NEXT_DUE, (destination_id,))
        return None if row is None or row[0] is None else from_micros(row[0])

    @override
    async def page(self, destination_id: DestinationId, *, after: Delivery | None, limit: int) -> Sequence[Delivery]:
        place = (0, "", 0)
        if after is not None and after.due_at is not None:
            place = (to_micros(after.due_at), after.ref.key.chunk_id, after.ref.key.round)
        rows = await self._database.fetch(_PAGE, (destination_id, *place, limit))
        return [read_delivery(row) for row in rows]

    @override
    async def late(self, destination_id: DestinationId, *, due: datetime, came: datetime) -> Late:
        row = await self._database.fetch_one(_LATE, (destination_id, to_micros(due), to_micros(came), COUNTED))
        count, never_tried, oldest = row or (0, 0, None)
        oldest_due_at = None if oldest is None else from_micros(oldest)
        return Late(count=count, never_tried=never_tried, oldest_due_at=oldest_due_at)

    @override
    async def waiting(self, destination_id: DestinationId) -> Waiting:
        row = await self._database.fetch_one(_WAITING, (destination_id,))
        count, oldest = row or (0, None)
        return Waiting(count=count, oldest_at=None if oldest is None else from_micros(oldest))

    @override
    async def attempts(self, chunk_id: ChunkId, destination_id: DestinationId) -> Sequence[Attempt] | None:
        if await self._database.fetch_one(_IS_KNOWN, (chunk_id, destination_id)) is None:
            return None
        rows = await self._database.fetch(_LIST_ATTEMPTS, (chunk_id, destination_id))
        return [read_attempt(row, cipher=self._cipher) for row in rows]

    @override
    async def attempts_of(self, chunk_ids: Sequence[ChunkId], *, limit: int) -> Sequence[Attempt]:
        rows = await self._database.fetch(_ATTEMPTS_OF, (list(chunk_ids), limit))
        return [read_attempt(row, cipher=self._cipher) for row in reversed(rows)]

    @override
    async def last_errors(self, destination_id: DestinationId, *, limit: int) -> Sequence[Attempt]:
        rows = await self._database.fetch(_LAST_ERRORS, (destination_id, limit))
        return [read_attempt(row, cipher=self._cipher) for row in rows]

    @override
    async def hasten(self, destination_id: DestinationId, *, now: datetime) -> int:
        return await self._database.write(lambda unit: unit.execute(_HASTEN, (destination_id, to_micros(now))))

    @override
    async def forget_answers(self, *, before: datetime) -> int:
        return await self._database.write(lambda unit: unit.execute(_FORGET_ANSWERS, (to_micros(before),)))

    @override
    async def forget_answers_of(self, chunk_ids: Sequence[ChunkId]) -> None:
        await self._database.write(lambda unit: unit.execute(_FORGET_ANSWERS_OF, (chunk_ids,)))

    async def _find_all(self, asked: Sequence[Sequence[DeliveryKey]]) -> Sequence[Mapping[DeliveryKey, Delivery]]:
        chunk_ids = list({key.chunk_id for keys in asked for key in keys})
        rows = await self._database.fetch(_FIND, (chunk_ids,))
        found = {delivery.ref.key: delivery for delivery in map(read_delivery, rows)}
        return [{key: found[key] for key in keys if key in found} for keys in asked]
