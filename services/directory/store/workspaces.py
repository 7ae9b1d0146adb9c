"""Workspaces in a database."""

from collections.abc import Callable
from typing import Final, TypeVar

from sqlalchemy import bindparam, insert, select, update

from libs.storage import Database, Statement, Transaction, table_of, to_micros
from services.directory.domain.contact import WorkspaceId
from services.directory.domain.leads import NoWorkspace, Turn
from services.directory.domain.workspace import Workspace
from services.directory.store.documents import read_workspace, workspace_text
from services.directory.store.tables import TurnRow, WorkspaceRow
from services.directory.store.turns import Turns

R = TypeVar("R")
_workspaces, _turns = table_of(WorkspaceRow).c, table_of(TurnRow).c

_COLUMNS: Final = ("workspace_id", "created_at", "document")
_ADD = Statement(insert(WorkspaceRow).values({name: bindparam(name) for name in _COLUMNS}), *_COLUMNS)
_ADD_TURN = Statement(
    insert(TurnRow).values(
        workspace_id=bindparam("workspace_id"), version=1, next_number=1, last_at=bindparam("last_at"), unindexed=0
    ),
    "workspace_id",
    "last_at",
)
_LIST = Statement(
    select(_turns.version, _workspaces.document)
    .join(TurnRow, _workspaces.workspace_id == _turns.workspace_id)
    .order_by(_workspaces.created_at, _workspaces.workspace_id)
)
_CHANGE = Statement(
    update(WorkspaceRow)
    .where(_workspaces.workspace_id == bindparam("of_workspace"))
    .values(document=bindparam("document")),
    "of_workspace",
    "document",
)
_NEXT_VERSION = Statement(
    update(TurnRow).where(_turns.workspace_id == bindparam("of_workspace")).values(version=_turns.version + 1),
    "of_workspace",
)


class SqlWorkspaces:
    """WorkspaceBook and WorkspaceChanges."""

    def __init__(self, database: Database, turns: Turns) -> None:
        self._database = database
        self._turns = turns

    async def get(self, workspace_id: WorkspaceId) -> Workspace | None:
        return await self._turns.read(self._database, workspace_id)

    async def list(self) -> list[Workspace]:
        return [read_workspace(document, version) for version, document in await self._database.fetch(_LIST)]

    async def add(self, workspace: Workspace) -> None:
        created_at = to_micros(workspace.created_at)

        async def unit(transaction: Transaction) -> None:
            await transaction.execute(_ADD, (workspace.workspace_id, created_at, workspace_text(workspace)))
            await transaction.execute(_ADD_TURN, (workspace.workspace_id, created_at))

        await self._database.write(unit)

    async def change(
        self, workspace_id: WorkspaceId, decide: Callable[[Workspace], Workspace | R]
    ) -> Workspace | NoWorkspace | R:
        async def unit(transaction: Transaction) -> Turn | NoWorkspace | R:
            turn = await self._turns.take(transaction, workspace_id)
            if turn is None:
                return NoWorkspace.NO_WORKSPACE
            decided = decide(turn.workspace)
            if not isinstance(decided, Workspace):
                return decided
            if decided != turn.workspace:
                await transaction.execute(_CHANGE, (workspace_id, workspace_text(decided)))
                await transaction.execute(_NEXT_VERSION, (workspace_id,))
            return Turn(turn.at, turn.number, decided)

        found = await self._database.write(unit)
        if not isinstance(found, Turn):
            return found
        return await self._turns.read(self._database, workspace_id) or NoWorkspace.NO_WORKSPACE
