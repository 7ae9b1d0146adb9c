"""The book in a database, SQLite or PostgreSQL."""

import re
from collections.abc import Sequence
from datetime import datetime

from libs.storage import Database, Transaction, to_micros
from services.directory.domain.contact import Contact, ContactId, Identity, WorkspaceId
from services.directory.domain.delivery import Applied, Decision, Delivery, Known
from services.directory.domain.leads import NoWorkspace
from services.directory.domain.search import Filter
from services.directory.ports import Decide
from services.directory.store import statements
from services.directory.store.rows import failures_text, read_applied, read_contact
from services.directory.store.turns import Turns
from services.directory.store.writing import Writing, buckets_of, write

_LIKE_SIGNS = re.compile(r"([%_\\])")


class SqlBook:
    """The book as a destination, and as its operator sees it.

    PostgreSQL lets units run side by side, so a unit first locks the buckets of the identities it will look up: another
    one that shares an identity waits, and then sees what this one wrote. The contacts found are locked as rows, for
    whoever comes by another of their identities; a deletion needs no more than that. Then comes the workspace's turn.
    SQLite has one writer, and the locks cost it one short read.
    """

    def __init__(self, database: Database, turns: Turns) -> None:
        self._database = database
        self._turns = turns

    async def apply(self, delivery: Delivery, decide: Decide) -> Applied | NoWorkspace:
        """As the port says."""
        identities = delivery.identities()
        buckets = buckets_of((delivery.delivery_id, *identities))
        turns = self._turns

        async def unit(transaction: Transaction) -> Applied | NoWorkspace:
            await transaction.fetch(statements.LOCK, (buckets,))
            stored = await transaction.fetch_one(statements.FIND_APPLIED, (delivery.delivery_id,))
            if stored is not None:
                return read_applied(*stored)
            known = await known_of(transaction, delivery.workspace_id, identities)
            turn = await turns.take(transaction, delivery.workspace_id)
            if turn is None:
                return NoWorkspace.NO_WORKSPACE
            decision = decide(known, turn)
            await write(transaction, turns, turn, _writing(decision))
            await _note(transaction, delivery, decision)
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

    async def delete(self, workspace_id: WorkspaceId, contact_id: ContactId) -> bool:
        """As the port says."""

        async def unit(transaction: Transaction) -> bool:
            row = await transaction.fetch_one(statements.TAKE_CONTACT, (workspace_id, contact_id))
            if row is None:
                return False
            await self._let_go(transaction, workspace_id, [read_contact(row)])
            return True

        return await self._database.write(unit)

    async def erase(self, workspace_id: WorkspaceId, identities: Sequence[Identity]) -> int:
        """As the port says."""

        async def unit(transaction: Transaction) -> int:
            await transaction.fetch(statements.LOCK, (buckets_of(identities),))
            holders = [row[0] for row in await transaction.fetch(statements.HOLDERS, (workspace_id, list(identities)))]
            rows = await transaction.fetch(statements.TAKE_CONTACTS, (workspace_id, holders))
            await self._let_go(transaction, workspace_id, [read_contact(row) for row in rows])
            return len(rows)

        return await self._database.write(unit)

    async def count(self, workspace_id: WorkspaceId) -> int:
        """As the port says."""
        row = await self._database.fetch_one(statements.COUNT, (workspace_id,))
        assert row is not None  # a sum has a row
        return int(row[0])

    async def _let_go(self, transaction: Transaction, workspace_id: WorkspaceId, contacts: list[Contact]) -> None:
        turn = await self._turns.take(transaction, workspace_id)
        if turn is not None:
            await write(transaction, self._turns, turn, Writing(deleted=contacts))


async def known_of(transaction: Transaction, workspace_id: WorkspaceId, identities: Sequence[Identity]) -> Known:
    """What the identities lead to. An owner that was deleted since it was looked up owns nothing: its row tells."""
    owners = dict(await transaction.fetch(statements.FIND_OWNERS, (workspace_id, identities)))
    if not owners:
        return Known({}, {})
    rows = await transaction.fetch(statements.TAKE_CONTACTS, (workspace_id, list(set(owners.values()))))
    contacts = {contact.contact_id: contact for contact in map(read_contact, rows)}
    return Known({identity: owner for identity, owner in owners.items() if owner in contacts}, contacts)


def _writing(decision: Decision) -> Writing:
    return Writing(
        created=decision.created,
        changed=decision.changed,
        deleted=decision.deleted,
        claims=decision.claims,
        dropped=decision.dropped,
    )


async def _note(transaction: Transaction, delivery: Delivery, decision: Decision) -> None:
    applied, at = decision.applied, to_micros(decision.decided_at)
    row = (delivery.delivery_id, at, applied.states, failures_text(applied))
    await transaction.execute(statements.NOTE_APPLIED, row)
