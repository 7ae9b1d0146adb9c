"""What was written to systems that are also read: keyed hashes alone, so the table holds no contact data."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.sql.base import Executable
from typing_extensions import override

from libs.storage import Database, Insert, Statement, Transaction, any_of, table_of, to_micros
from services.delivery.domain.destination import Destination
from services.delivery.domain.echo import FIELDS, Written, folded, system_of
from services.delivery.ports import Clock, Echoes
from services.delivery.store.tables import EchoRow

Digest = Callable[[str], bytes]
"""A keyed hash."""
Hashes = Mapping[str, bytes]
"""Of the values written, by field."""

KEPT = timedelta(days=62)
"""Twice the longest time between two readings of a source."""
PRUNED_EVERY = timedelta(hours=1)
HASH_BYTES = 16

_echoes = table_of(EchoRow)
_E = _echoes.c
_COLUMNS = ("system", "remote_id", *FIELDS, "written_at")


def _upsert(insert: Insert) -> Executable:
    put = insert(_echoes).values({name: bindparam(name) for name in _COLUMNS})
    merged = {name: func.coalesce(put.excluded[name], _E[name]) for name in FIELDS}
    return put.on_conflict_do_update(
        index_elements=("system", "remote_id"), set_={**merged, "written_at": put.excluded["written_at"]}
    )


_PUT = Statement(_upsert, *_COLUMNS)
_FIND = Statement(
    select(*(_E[name] for name in ("remote_id", *FIELDS))).where(
        any_of(_E.system, "systems"), any_of(_E.remote_id, "remote_ids")
    ),
    "systems",
    "remote_ids",
)
_PRUNE = Statement(delete(_echoes).where(_E.written_at < bindparam("before")), "before")


class MemoryEchoes(Echoes):
    """In memory: for tests, and for a hub that need not remember. What it has it keeps."""

    def __init__(self, digest: Digest) -> None:
        self._digest = digest
        self._known: dict[tuple[str, str], dict[str, bytes]] = {}

    @override
    async def remember(self, destination: Destination, records: Sequence[Written]) -> None:
        for record in records:
            known = self._known.setdefault((system_of(destination), record.remote_id), {})
            known.update(_hashes(record, self._digest))

    @override
    async def recognize(self, systems: Sequence[str], seen: Sequence[Written]) -> Sequence[bool]:
        known = [[self._known.get((system, record.remote_id), {}) for system in systems] for record in seen]
        return [
            any(_is_echo(_hashes(record, self._digest), hashes, count=len(record.values)) for hashes in of_record)
            for record, of_record in zip(seen, known, strict=True)
        ]


class SqlEchoes(Echoes):
    """In a database. Prunes what is older than any reading, as it goes."""

    def __init__(self, database: Database, *, digest: Digest, clock: Clock) -> None:
        self._database = database
        self._digest = digest
        self._clock = clock
        self._pruned_at: datetime | None = None

    @override
    async def remember(self, destination: Destination, records: Sequence[Written]) -> None:
        now = self._clock.now()
        # Sorted, so that two that write the same records wait for each other, and not in a circle.
        in_order = sorted(records, key=lambda record: record.remote_id)
        rows = [self._row(system_of(destination), record, now) for record in in_order]
        prune = self._pruned_at is None or now - self._pruned_at >= PRUNED_EVERY

        async def unit(transaction: Transaction) -> None:
            await transaction.execute_many(_PUT, rows)
            if prune:
                await transaction.execute(_PRUNE, (to_micros(now - KEPT),))

        if rows:
            await self._database.write(unit)
            self._pruned_at = now if prune else self._pruned_at

    @override
    async def recognize(self, systems: Sequence[str], seen: Sequence[Written]) -> Sequence[bool]:
        rows = await self._database.fetch(_FIND, (list(systems), [record.remote_id for record in seen]))
        known: dict[str, list[Hashes]] = {}
        for remote_id, *hashes in rows:
            given = {name: bytes(each) for name, each in zip(FIELDS, hashes, strict=True) if each is not None}
            known.setdefault(remote_id, []).append(given)
        return [
            any(
                _is_echo(_hashes(record, self._digest), hashes, count=len(record.values))
                for hashes in known.get(record.remote_id, ())
            )
            for record in seen
        ]

    def _row(self, system: str, record: Written, now: datetime) -> tuple[object, ...]:
        hashes = _hashes(record, self._digest)
        return (system, record.remote_id, *(hashes.get(name) for name in FIELDS), to_micros(now))


def _hashes(record: Written, digest: Digest) -> dict[str, bytes]:
    """Bound to the record, so that two records of one name do not show it."""
    return dict(_each_hash(record, digest))


def _each_hash(record: Written, digest: Digest) -> Iterator[tuple[str, bytes]]:
    for name in FIELDS:
        if value := folded(name, record.values.get(name, "")):
            yield name, digest("\0".join((record.remote_id, name, value)))[:HASH_BYTES]


def _is_echo(seen: Hashes, written: Hashes, *, count: int) -> bool:
    """A field that is none of those remembered, or was blanked, is news."""
    return 0 < len(seen) == count and seen.items() <= written.items()
