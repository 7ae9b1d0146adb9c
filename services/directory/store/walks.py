"""Walks through a database: pages that stay where they are while others write.

A contact that changes after the walk began keeps its place by its past change; one that is deleted leaves a gap.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import BindParameter, bindparam, delete, or_, select, union_all

from libs.storage import Database, Statement, Transaction, from_micros, table_of, to_micros
from services.directory.domain.contact import Contact, ContactId, WorkspaceId
from services.directory.domain.leads import DeltaPage, WalkPage
from services.directory.store import statements
from services.directory.store.marks import Marks
from services.directory.store.rows import read_contact
from services.directory.store.tables import ContactRow, PastChangeRow, WalkRow
from services.directory.store.turns import Turns
from services.directory.store.writing import WALKS_LAST

_NEVER: Final = from_micros(0)
_contacts, _past, _walks = table_of(ContactRow).c, table_of(PastChangeRow).c, table_of(WalkRow).c
_OF_WORKSPACE = _contacts.workspace_id == bindparam("workspace_id")
_AS_OF: BindParameter[int] = bindparam("as_of")
_SINCE: BindParameter[int] = bindparam("since")

_KEEP = Statement(
    lambda insert: (
        kept := insert(WalkRow).values({name: bindparam(name) for name in ("workspace_id", "walk", "as_of")})
    ).on_conflict_do_update(index_elements=["workspace_id", "walk"], set_={"as_of": kept.excluded.as_of}),
    "workspace_id",
    "walk",
    "as_of",
)
_RESUME = Statement(
    select(_walks.as_of).where(_walks.workspace_id == bindparam("workspace_id"), _walks.walk == bindparam("walk")),
    "workspace_id",
    "walk",
)
_FORGET_WALKS = Statement(delete(WalkRow).where(_walks.as_of < bindparam("before")), "before")
_AFTER_AT: BindParameter[int] = bindparam("after_at")
_AFTER_ID: BindParameter[str] = bindparam("after_id")
_THEN = Statement(
    select(_contacts.contact_id)
    .where(
        _OF_WORKSPACE,
        _contacts.contact_id > _AFTER_ID,
        _contacts.created_at <= _AS_OF,
        or_(_contacts.deleted_at.is_(None), _contacts.deleted_at > bindparam("as_of")),
    )
    .order_by(_contacts.contact_id)
    .limit(bindparam("limit"))
    .offset(bindparam("offset")),
    "workspace_id",
    "after_id",
    "as_of",
    "limit",
    "offset",
)
_PRESENT = (
    select(_contacts.changed_at, _contacts.contact_id)
    .where(
        _OF_WORKSPACE,
        _contacts.changed_at >= _AFTER_AT,
        or_(_contacts.changed_at > _AFTER_AT, _contacts.contact_id > _AFTER_ID),
        _contacts.changed_at <= _AS_OF,
    )
    .order_by(_contacts.changed_at, _contacts.contact_id)
)
_PAST = (
    select(_past.changed_at, _past.contact_id)
    .where(
        _past.workspace_id == bindparam("workspace_id"),
        _past.until_at > _AS_OF,
        _past.changed_at >= _AFTER_AT,
        or_(_past.changed_at > _AFTER_AT, _past.contact_id > _AFTER_ID),
        _past.changed_at <= _AS_OF,
    )
    .order_by(_past.changed_at, _past.contact_id)
)
# Each half gives no more than the page can need: the whole of what changed is never put in order.
_halves = [half.limit(bindparam("most")).subquery() for half in (_PRESENT.where(_contacts.deleted_at.is_(None)), _PAST)]
_either = union_all(*(select(half.c.changed_at, half.c.contact_id) for half in _halves)).subquery()
_CHANGES: Final = ("workspace_id", "after_at", "after_id", "as_of")
_UPDATED = Statement(
    select(_either.c.changed_at, _either.c.contact_id)
    .order_by(_either.c.changed_at, _either.c.contact_id)
    .limit(bindparam("limit"))
    .offset(bindparam("offset")),
    *_CHANGES,
    "most",
    "limit",
    "offset",
)
_DELETED = Statement(
    _PRESENT.where(_contacts.deleted_at.is_not(None)).limit(bindparam("limit")).offset(bindparam("offset")),
    *_CHANGES,
    "limit",
    "offset",
)
_Change = tuple[int, ContactId]


class SqlWalks:
    """Walks and WalkReader."""

    def __init__(self, database: Database, turns: Turns) -> None:
        self._database = database
        self._turns = turns
        self._ids: Marks[ContactId] = Marks()
        self._changes: Marks[_Change] = Marks()

    async def begin(self, workspace_id: WorkspaceId, *walks: str) -> datetime:
        """In the workspace's turn: whoever wrote before is seen; whoever writes after it has a later time."""

        async def unit(transaction: Transaction) -> datetime | None:
            turn = await self._turns.take(transaction, workspace_id)
            if turn is None:
                return None
            before = to_micros(turn.at - WALKS_LAST)
            await transaction.execute(_FORGET_WALKS, (before,))
            await transaction.execute_many(_KEEP, [(workspace_id, walk, to_micros(turn.at)) for walk in walks])
            await self._turns.end(transaction, turn)
            return turn.at

        began = await self._database.write(unit)
        return _NEVER if began is None else began

    async def resume(self, workspace_id: WorkspaceId, walk: str) -> datetime | None:
        row = await self._database.fetch_one(_RESUME, (workspace_id, walk))
        return None if row is None else from_micros(row[0])

    async def contacts_as_of(self, workspace_id: WorkspaceId, as_of: datetime, *, page: int, limit: int) -> WalkPage:
        walk = (workspace_id, as_of, limit)
        after, skipped = self._ids.before(walk, page, start=ContactId(""))
        asked = (workspace_id, after, to_micros(as_of), limit + 1, skipped * limit)
        ids = [ContactId(row[0]) for row in await self._database.fetch(_THEN, asked)]
        if more := len(ids) > limit:
            self._ids.note(walk, page, ids[limit - 1])
        return WalkPage(await self._read(workspace_id, ids[:limit]), more)

    async def changes_as_of(
        self, workspace_id: WorkspaceId, as_of: datetime, *, since: datetime, page: int, limit: int
    ) -> DeltaPage:
        walk = (workspace_id, as_of, since, limit)
        updated = await self._changed(_UPDATED, walk, page)
        deleted = await self._changed(_DELETED, walk, page)
        more = len(updated) > limit or len(deleted) > limit
        return DeltaPage(await self._read(workspace_id, updated[:limit]), deleted[:limit], more)

    async def _changed(
        self, listing: Statement, walk: tuple[WorkspaceId, datetime, datetime, int], page: int
    ) -> list[ContactId]:
        """Of the page, and one more when there is another behind it."""
        workspace_id, as_of, since, limit = walk
        (at, after), skipped = self._changes.before((listing, walk), page, start=(to_micros(since), ContactId("")))
        window = (limit + 1, skipped * limit)
        most = (sum(window),) if listing is _UPDATED else ()
        rows = await self._database.fetch(listing, (workspace_id, at, after, to_micros(as_of), *most, *window))
        if len(rows) > limit:
            changed_at, contact_id = rows[limit - 1]
            self._changes.note((listing, walk), page, (changed_at, ContactId(contact_id)))
        return [ContactId(row[1]) for row in rows]

    async def _read(self, workspace_id: WorkspaceId, ids: Sequence[ContactId]) -> list[Contact]:
        """As they are now, in this order; who was deleted meanwhile is left out."""
        rows = await self._database.fetch(statements.READ_CONTACTS, (workspace_id, list(ids))) if ids else []
        found = {contact.contact_id: contact for contact in map(read_contact, rows)}
        return [found[contact_id] for contact_id in ids if contact_id in found]
