"""Keys in a database, SQLite or PostgreSQL.

A whole call is one unit: one transaction on PostgreSQL, one savepoint of a shared commit on SQLite. Its keys are taken
in their order, so that calls which share keys wait for each other instead of locking each other out.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import bindparam, delete, null, select, tuple_, update

from libs.storage import Database, Statement, StorageUnavailableError, Transaction, table_of, to_micros
from services.idempotency import domain
from services.idempotency.domain import (
    Beginning,
    Completion,
    Key,
    Record,
    Release,
    Replay,
    Request,
    Terms,
)
from services.idempotency.store.rows import COLUMNS, record_of, row_of
from services.idempotency.store.tables import KeyRow

A = TypeVar("A")
R = TypeVar("R")

MIGRATIONS = Path(__file__).parents[1] / "migrations"
_TRIES = 5

_keys = table_of(KeyRow)
_c = _keys.c
_IS_KEY = (_c.client_id == bindparam("of_client")) & (_c.key == bindparam("of_key"))
_WHOLE = select(*(_c[name] for name in COLUMNS), _c.status_code, _c.body).where(_IS_KEY)

_INSERT = Statement(
    lambda insert: insert(_keys).values({name: bindparam(name) for name in COLUMNS}).on_conflict_do_nothing(),
    *COLUMNS,
)
_FIND = Statement(_WHOLE, "of_client", "of_key")
_LOCK = Statement(_WHOLE.with_for_update(), "of_client", "of_key")
_HOLD = Statement(
    update(_keys)
    .where(_IS_KEY)
    .values({name: bindparam(name) for name in COLUMNS[2:]} | {"status_code": null(), "body": null()}),
    "of_client",
    "of_key",
    *COLUMNS[2:],
)
_COUNT = Statement(
    update(_keys).where(_IS_KEY).values(accessed_at=bindparam("at"), access_count=_c.access_count + 1),
    "at",
    "of_client",
    "of_key",
)
_ANSWER = Statement(
    update(_keys)
    .where(_IS_KEY, _c.fence == bindparam("by"), _c.status_code.is_(None))
    .values(status_code=bindparam("status"), body=bindparam("bytes")),
    "status",
    "bytes",
    "of_client",
    "of_key",
    "by",
)
_IS_ANSWERED = Statement(select(_c.status_code).where(_IS_KEY, _c.status_code.is_not(None)), "of_client", "of_key")
_RELEASE = Statement(
    delete(_keys).where(_IS_KEY, _c.fence == bindparam("by"), _c.status_code.is_(None)), "of_client", "of_key", "by"
)
_FORGET = Statement(
    delete(_keys).where(
        tuple_(_c.client_id, _c.key).in_(
            select(_c.client_id, _c.key)
            .where(_c.expires_at <= bindparam("now"))
            .limit(bindparam("most"))
            .with_for_update(skip_locked=True)
        )
    ),
    "now",
    "most",
)


class SqlKeys:
    """Keys and Records."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, asked: Sequence[tuple[Request, Terms]]) -> list[Beginning]:
        async def unit(transaction: Transaction) -> list[Beginning]:
            return await _in_key_order(
                asked, lambda item: item[0].key, lambda item: _begin(transaction, item[0], item[1])
            )

        return await self._database.write(unit)

    async def complete(self, completions: Sequence[Completion]) -> list[bool]:
        async def unit(transaction: Transaction) -> list[bool]:
            return await _in_key_order(completions, lambda item: item.key, lambda item: _complete(transaction, item))

        return await self._database.write(unit)

    async def release(self, releases: Sequence[Release]) -> list[bool]:
        async def unit(transaction: Transaction) -> list[bool]:
            return await _in_key_order(releases, lambda item: item.key, lambda item: _release(transaction, item))

        return await self._database.write(unit)

    async def find(self, key: Key) -> Record | None:
        row = await self._database.fetch_one(_FIND, (key.client_id, key.text))
        return None if row is None else record_of(row)

    async def forget_expired(self, now: datetime, *, limit: int) -> int:
        async def unit(transaction: Transaction) -> int:
            return await transaction.execute(_FORGET, (to_micros(now), limit))

        return await self._database.write(unit)


async def _in_key_order(items: Sequence[A], key_of: Callable[[A], Key], decide: Callable[[A], Awaitable[R]]) -> list[R]:
    """Results in the order of the items; those of one key are decided in that order too."""
    order = sorted(range(len(items)), key=lambda index: key_of(items[index]))
    decided = {index: await decide(items[index]) for index in order}
    return [decided[index] for index in range(len(items))]


async def _begin(transaction: Transaction, request: Request, terms: Terms) -> Beginning:
    beginning, opened = domain.begin(None, request, terms)
    assert opened is not None
    key = (request.key.client_id, request.key.text)
    for _ in range(_TRIES):
        if await transaction.execute(_INSERT, row_of(opened)):
            return beginning
        row = await transaction.fetch_one(_LOCK, key)
        if row is not None:
            return await _begin_again(transaction, record_of(row), request, terms)
    raise StorageUnavailableError("a key was made and freed again too often meanwhile")


async def _begin_again(transaction: Transaction, record: Record, request: Request, terms: Terms) -> Beginning:
    beginning, kept = domain.begin(record, request, terms)
    key = (request.key.client_id, request.key.text)
    if isinstance(beginning, Replay):
        await transaction.execute(_COUNT, (to_micros(terms.now), *key))
    elif kept is not None:
        await transaction.execute(_HOLD, (*key, *row_of(kept)[2:]))
    return beginning


async def _complete(transaction: Transaction, completion: Completion) -> bool:
    key = (completion.key.client_id, completion.key.text)
    answer = completion.answer
    if await transaction.execute(_ANSWER, (answer.status_code, answer.body, *key, completion.fence)):
        return True
    return await transaction.fetch_one(_IS_ANSWERED, key) is not None


async def _release(transaction: Transaction, release: Release) -> bool:
    return bool(await transaction.execute(_RELEASE, (release.key.client_id, release.key.text, release.fence)))
