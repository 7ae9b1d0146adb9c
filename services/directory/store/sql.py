"""The book in a database, SQLite or PostgreSQL."""

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from zlib import crc32

from libs.storage import Database, Transaction, to_micros
from services.directory.domain.contact import Contact, ContactId, Identity, WorkspaceId
from services.directory.domain.delivery import Applied, Claim, Decision, Delivery, Known
from services.directory.domain.search import Filter
from services.directory.ports import Decide
from services.directory.store import statements
from services.directory.store.rows import contact_row, failures_text, read_applied, read_contact

_BUCKETS, _SHARDS = 256, 16
_OWNER, _SHARER = 0, 1
_LIKE_SIGNS = re.compile(r"([%_\\])")


class SqlBook:
    """All ports of the book.

    PostgreSQL lets units run side by side, so a unit first locks the buckets of the identities it will look up: another
    one that shares an identity waits, and then sees what this one wrote. The contacts found are locked as rows, for
    whoever comes by another of their identities; a deletion needs no more than that. SQLite has one writer, and the
    locks cost it one short read.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def apply(self, delivery: Delivery, decide: Decide) -> Applied:
        """As the port says."""
        identities = delivery.identities()
        buckets = _buckets((delivery.delivery_id, *identities))

        async def unit(transaction: Transaction) -> Applied:
            await transaction.fetch(statements.LOCK, (buckets,))
            stored = await transaction.fetch_one(statements.FIND_APPLIED, (delivery.delivery_id,))
            if stored is not None:
                return read_applied(*stored)
            decision = decide(await _known(transaction, delivery.workspace_id, identities))
            await _write(transaction, delivery, decision)
            return decision.applied

        return await self._database.write(unit)

    async def forget_deliveries(self, applied_before: datetime) -> int:
        """As the port says."""
        before = to_micros(applied_before)

        async def unit(transaction: Transaction) -> int:
            return await transaction.execute(statements.FORGET_APPLIED, (before,))

        return await self._database.write(unit)

    async def find(
        self, workspace_id: WorkspaceId, which: Filter, *, after: ContactId | None, limit: int
    ) -> list[Contact]:
        """As the port says."""
        pattern = [_LIKE_SIGNS.sub(r"\\\1", which.text).join("%%")] if which.text else []
        listing = statements.LISTINGS[len(which.identities), bool(pattern)]
        rows = await self._database.fetch(listing, (workspace_id, after or "", *which.identities, *pattern, limit))
        return [read_contact(row) for row in rows]

    async def get(self, workspace_id: WorkspaceId, contact_id: ContactId) -> Contact | None:
        """As the port says."""
        row = await self._database.fetch_one(statements.GET_CONTACT, (workspace_id, contact_id))
        return None if row is None else read_contact(row)

    async def delete(self, workspace_id: WorkspaceId, contact_id: ContactId, *, now: datetime) -> bool:
        """As the port says."""

        async def unit(transaction: Transaction) -> bool:
            row = await transaction.fetch_one(statements.TAKE_CONTACT, (workspace_id, contact_id))
            if row is None:
                return False
            await _erase(transaction, workspace_id, [read_contact(row)], now)
            await _count_more(transaction, workspace_id, contact_id, -1)
            return True

        return await self._database.write(unit)

    async def erase(self, workspace_id: WorkspaceId, identities: Sequence[Identity], *, now: datetime) -> int:
        """As the port says."""

        async def unit(transaction: Transaction) -> int:
            await transaction.fetch(statements.LOCK, (_buckets(identities),))
            holders = [row[0] for row in await transaction.fetch(statements.HOLDERS, (workspace_id, list(identities)))]
            rows = await transaction.fetch(statements.TAKE_CONTACTS, (workspace_id, holders))
            await _erase(transaction, workspace_id, [read_contact(row) for row in rows], now)
            for row in rows:
                await _count_more(transaction, workspace_id, row[0], -1)
            return len(rows)

        return await self._database.write(unit)

    async def count(self, workspace_id: WorkspaceId) -> int:
        """As the port says."""
        row = await self._database.fetch_one(statements.COUNT, (workspace_id,))
        assert row is not None  # a sum has a row
        return int(row[0])


async def _known(transaction: Transaction, workspace_id: WorkspaceId, identities: Sequence[Identity]) -> Known:
    """An owner that was deleted since it was looked up owns nothing: taking the row tells."""
    owners = dict(await transaction.fetch(statements.FIND_OWNERS, (workspace_id, identities)))
    if not owners:
        return Known({}, {})
    rows = await transaction.fetch(statements.TAKE_CONTACTS, (workspace_id, list(set(owners.values()))))
    contacts = {contact.contact_id: contact for contact in map(read_contact, rows)}
    return Known({identity: owner for identity, owner in owners.items() if owner in contacts}, contacts)


async def _write(transaction: Transaction, delivery: Delivery, decision: Decision) -> None:
    workspace = delivery.workspace_id
    await _erase(transaction, workspace, decision.deleted, decision.decided_at)
    if decision.created:
        await transaction.execute_many(statements.ADD_CONTACT, _rows(workspace, decision.created))
    if decision.changed:
        await transaction.execute_many(statements.CHANGE_CONTACT, _rows(workspace, decision.changed))
    if decision.claims:
        await transaction.execute_many(statements.ADD_IDENTITY, _claims(workspace, decision.claims))
    applied_at = to_micros(decision.decided_at)
    applied = decision.applied
    await transaction.execute(
        statements.NOTE_APPLIED, (delivery.delivery_id, applied_at, applied.states, failures_text(applied))
    )
    await _count_more(transaction, workspace, delivery.delivery_id, len(decision.created) - len(decision.deleted))


async def _erase(
    transaction: Transaction, workspace_id: WorkspaceId, contacts: Collection[Contact], now: datetime
) -> None:
    if not contacts:
        return
    at = to_micros(now)
    await transaction.execute_many(
        statements.DROP_IDENTITY,
        [
            (workspace_id, identity, rank, contact.contact_id)
            for contact in contacts
            for identity in contact.details.identities
            for rank in (_OWNER, _SHARER)
        ],
    )
    await transaction.execute_many(
        statements.ERASE_CONTACT, [(workspace_id, contact.contact_id, at) for contact in contacts]
    )


async def _count_more(transaction: Transaction, workspace_id: WorkspaceId, of: str, more: int) -> None:
    """Last in its unit: the shard is locked until the commit, and nothing is waited for while it is."""
    if more:
        await transaction.execute(statements.COUNT_MORE, (workspace_id, _hash(of) % _SHARDS, more))


def _rows(workspace_id: WorkspaceId, contacts: Iterable[Contact]) -> list[tuple[object, ...]]:
    return [contact_row(workspace_id, contact) for contact in contacts]


def _claims(workspace_id: WorkspaceId, claims: Iterable[Claim]) -> list[tuple[object, ...]]:
    return [(workspace_id, claim.identity, _OWNER if claim.owner else _SHARER, claim.contact_id) for claim in claims]


def _buckets(texts: Collection[str]) -> list[int]:
    """Where the texts lie. Many texts lie in nearly all buckets, and in all is found faster."""
    return list(range(_BUCKETS)) if len(texts) > _BUCKETS else sorted({_hash(text) % _BUCKETS for text in texts})


def _hash(text: str) -> int:
    """The same in every process, and forever."""
    return crc32(text.encode())
