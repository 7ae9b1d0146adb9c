"""Actions of leads in a database."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from sqlalchemy import ColumnElement, bindparam, func, insert, or_, select, update

from libs.storage import Database, Row, Statement, Transaction, any_of, table_of, to_micros
from services.directory.domain.action import Action, ActionFilter, ActionId, ActionPage
from services.directory.domain.contact import ContactId, WorkspaceId
from services.directory.domain.search import fold
from services.directory.store import statements
from services.directory.store.documents import ACTION_COLUMNS, ACTION_READ, action_row, read_action
from services.directory.store.tables import ActionRow

R = TypeVar("R")
_actions = table_of(ActionRow).c
_READ = tuple(_actions[name] for name in ACTION_READ)
_OF_LEAD = (
    _actions.workspace_id == bindparam("workspace_id"),
    _actions.contact_id == bindparam("contact_id"),
)
_KEY: Final = ("workspace_id", "contact_id", "action_id")

ADD_ACTION = Statement(insert(ActionRow).values({name: bindparam(name) for name in ACTION_COLUMNS}), *ACTION_COLUMNS)
_ONE = select(*_READ).where(*_OF_LEAD, _actions.action_id == bindparam("action_id"))
_GET, _TAKE = Statement(_ONE, *_KEY), Statement(_ONE.with_for_update(), *_KEY)
_CHANGED: Final = ("performed_by", "performed_by_id", "changed_at", "version", "document")
_CHANGE = Statement(
    update(ActionRow)
    .where(*(_actions[name] == bindparam(f"of_{name}") for name in _KEY))
    .values({name: bindparam(name) for name in _CHANGED}),
    *(f"of_{name}" for name in _KEY),
    *_CHANGED,
)
_END_OF_TIME: Final = 2**62


def filter_clauses(*, types: bool, performers: bool) -> tuple[list[ColumnElement[bool]], list[str]]:
    """What an ActionFilter asks of a row, and the parameters in the order of `filter_row`."""
    clauses = [_actions.created_at >= bindparam("since"), _actions.created_at <= bindparam("until")]
    names = ["since", "until"]
    if types:
        clauses.append(any_of(_actions.type, "types"))
        names.append("types")
    if performers:
        clauses.append(
            or_(any_of(_actions.performed_by, "performers"), any_of(_actions.performed_by_id, "performer_ids"))
        )
        names += ["performers", "performer_ids"]
    return clauses, names


def filter_row(which: ActionFilter) -> Row:
    """The parameters' values."""
    since = 0 if which.since is None else to_micros(which.since)
    until = _END_OF_TIME if which.until is None else to_micros(which.until)
    types = [list(which.types)] if which.types else []
    performers = [[fold(each) for each in which.performers], list(which.performers)] if which.performers else []
    return (since, until, *types, *performers)


def _pages(*, types: bool, performers: bool) -> tuple[Statement, Statement]:
    clauses, names = filter_clauses(types=types, performers=performers)
    page = select(*_READ).where(*_OF_LEAD, *clauses).order_by(_actions.created_at.desc(), _actions.action_id.desc())
    page = page.limit(bindparam("limit")).offset(bindparam("skip"))
    count = select(func.count()).select_from(ActionRow).where(*_OF_LEAD, *clauses)
    keys = ("workspace_id", "contact_id", *names)
    return Statement(page, *keys, "limit", "skip"), Statement(count, *keys)


_PAGES: Final = {
    (types, performers): _pages(types=types, performers=performers)
    for types in (False, True)
    for performers in (False, True)
}


class SqlActions:
    """ActionBook and ActionChanges."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, workspace_id: WorkspaceId, contact_id: ContactId, actions: Sequence[Action]) -> bool:
        rows = [action_row(workspace_id, action) for action in actions]

        async def unit(transaction: Transaction) -> bool:
            # The contact's row is locked, so that it is not deleted meanwhile and leaves its actions behind.
            if await transaction.fetch_one(statements.TAKE_CONTACT, (workspace_id, contact_id)) is None:
                return False
            await transaction.execute_many(ADD_ACTION, rows)
            return True

        return await self._database.write(unit)

    async def get(self, workspace_id: WorkspaceId, contact_id: ContactId, action_id: ActionId) -> Action | None:
        row = await self._database.fetch_one(_GET, (workspace_id, contact_id, action_id))
        return None if row is None else read_action(row)

    async def page(
        self, workspace_id: WorkspaceId, contact_id: ContactId, which: ActionFilter, *, skip: int, limit: int
    ) -> ActionPage:
        page, count = _PAGES[bool(which.types), bool(which.performers)]
        asked = (workspace_id, contact_id, *filter_row(which))
        rows = await self._database.fetch(page, (*asked, limit, skip))
        total = await self._database.fetch_one(count, asked)
        return ActionPage([read_action(row) for row in rows], int(total[0]) if total else 0)

    async def change(
        self,
        workspace_id: WorkspaceId,
        contact_id: ContactId,
        action_id: ActionId,
        decide: Callable[[Action], Action | R],
    ) -> Action | R | None:
        key = (workspace_id, contact_id, action_id)

        async def unit(transaction: Transaction) -> Action | R | None:
            row = await transaction.fetch_one(_TAKE, key)
            if row is None:
                return None
            known = read_action(row)
            decided = decide(known)
            if not isinstance(decided, Action) or decided == known:
                return decided
            changed = replace(decided, version=known.version + 1)
            values = dict(zip(ACTION_COLUMNS, action_row(workspace_id, changed), strict=True))
            await transaction.execute(_CHANGE, (*key, *(values[name] for name in _CHANGED)))
            return changed

        return await self._database.write(unit)
