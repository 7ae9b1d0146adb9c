"""Walks through a database: pages that stay where they are while others write.

A contact that changes after the walk began keeps its place by its past change; one that is deleted leaves a gap.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import BindParameter, bindparam, delete, or_, select, union_all

from libs.storage import Database, Statement, Transaction, from_micros, table_of, to_micros
from services.directory.domain.contact import Contact, ContactId, WorkspaceId
from services.directory.domain.leads import DeltaPage, WalkPage
from services.directory.store import statements
from services.directory.store.rows import read_contact
from services.directory.store.tables import ContactRow, PastChangeRow, WalkRow
from services.directory.store.turns import Turns

KEPT: Final = timedelta(days=1)
"""For how long a walk may go on."""
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
_FORGET_PAST = Statement(
    delete(PastChangeRow).where(_past.workspace_id == bindparam("workspace_id"), _past.until_at < bindparam("before")),
    "workspace_id",
    "before",
)
_PAGE: Final = ("limit", "offset")
_THEN = Statement(
    select(_contacts.contact_id)
    .where(
        _OF_WORKSPACE,
        _contacts.created_at <= _AS_OF,
        or_(_contacts.deleted_at.is_(None), _contacts.deleted_at > bindparam("as_of")),
    )
    .order_by(_contacts.contact_id)
    .limit(bindparam("limit"))
    .offset(bindparam("offset")),
    "workspace_id",
    "as_of",
    *_PAGE,
)
_PAST = select(_past.changed_at, _past.contact_id).where(
    _past.workspace_id == bindparam("workspace_id"),
    _past.until_at > _AS_OF,
    _past.changed_at >= _SINCE,
    _past.changed_at <= _AS_OF,
)
_PRESENT = select(_contacts.changed_at, _contacts.contact_id).where(
    _OF_WORKSPACE, _contacts.changed_at >= _SINCE, _contacts.changed_at <= _AS_OF
)
_either = union_all(_PRESENT.where(_contacts.deleted_at.is_(None)), _PAST).subquery()
_UPDATED = Statement(
    select(_either.c.contact_id)
    .order_by(_either.c.changed_at, _either.c.contact_id)
    .limit(bindparam("limit"))
    .offset(bindparam("offset")),
    "workspace_id",
    "since",
    "as_of",
    *_PAGE,
)
_DELETED = Statement(
    select(_contacts.contact_id)
    .where(
        _OF_WORKSPACE,
        _contacts.changed_at >= _SINCE,
        _contacts.changed_at <= _AS_OF,
        _contacts.deleted_at.is_not(None),
    )
    .order_by(_contacts.changed_at, _contacts.contact_id)
    .limit(bindparam("limit"))
    .offset(bindparam("offset")),
    "workspace_id",
    "since",
    "as_of",
    *_PAGE,
)


class SqlWalks:
    """Walks and WalkReader."""

    def __init__(self, database: Database, turns: Turns) -> None:
        self._database = database
        self._turns = turns

    async def begin(self, workspace_id: WorkspaceId, walk: str) -> datetime:
        """In the workspace's turn: whoever wrote before is seen; whoever writes after it has a later time."""

        async def unit(transaction: Transaction) -> datetime | None:
            turn = await self._turns.take(transaction, workspace_id)
            if turn is None:
                return None
            before = to_micros(turn.at - KEPT)
            await transaction.execute(_FORGET_WALKS, (before,))
            await transaction.execute(_FORGET_PAST, (workspace_id, before))
            await transaction.execute(_KEEP, (workspace_id, walk, to_micros(turn.at)))
            await self._turns.end(transaction, turn)
            return turn.at

        began = await self._database.write(unit)
        return _NEVER if began is None else began

    async def resume(self, workspace_id: WorkspaceId, walk: str) -> datetime | None:
        row = await self._database.fetch_one(_RESUME, (workspace_id, walk))
        return None if row is None else from_micros(row[0])

    async def contacts_as_of(self, workspace_id: WorkspaceId, as_of: datetime, *, page: int, limit: int) -> WalkPage:
        asked = (workspace_id, to_micros(as_of), limit + 1, (page - 1) * limit)
        ids = _ids(await self._database.fetch(_THEN, asked))
        return WalkPage(await self._read(workspace_id, ids[:limit]), len(ids) > limit)

    async def changes_as_of(
        self, workspace_id: WorkspaceId, as_of: datetime, *, since: datetime, page: int, limit: int
    ) -> DeltaPage:
        asked = (workspace_id, to_micros(since), to_micros(as_of), limit + 1, (page - 1) * limit)
        updated = _ids(await self._database.fetch(_UPDATED, asked))
        deleted = _ids(await self._database.fetch(_DELETED, asked))
        more = len(updated) > limit or len(deleted) > limit
        return DeltaPage(await self._read(workspace_id, updated[:limit]), deleted[:limit], more)

    async def _read(self, workspace_id: WorkspaceId, ids: Sequence[ContactId]) -> list[Contact]:
        """As they are now, in this order; who was deleted meanwhile is left out."""
        rows = await self._database.fetch(statements.READ_CONTACTS, (workspace_id, list(ids))) if ids else []
        found = {contact.contact_id: contact for contact in map(read_contact, rows)}
        return [found[contact_id] for contact_id in ids if contact_id in found]


def _ids(rows: Sequence[tuple[Any, ...]]) -> list[ContactId]:
    return [ContactId(row[0]) for row in rows]
