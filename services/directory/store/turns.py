"""Turns at a workspace: units that write its contacts go one after the other from here to their commit.

So times and numbers rise in the order in which they can be seen: a walk that froze a moment misses nothing before it.
On PostgreSQL it is a row lock, taken after those of identities and contacts and before everything else; SQLite has one
writer.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update

from libs.storage import Database, Statement, Transaction, from_micros, table_of, to_micros
from services.directory.domain.contact import WorkspaceId
from services.directory.domain.leads import Turn
from services.directory.domain.workspace import Workspace
from services.directory.store.documents import read_workspace
from services.directory.store.tables import TurnRow, WorkspaceRow

_turns, _workspaces = table_of(TurnRow).c, table_of(WorkspaceRow).c
_MICROSECOND = timedelta(microseconds=1)

_TAKE = Statement(
    select(_turns.version, _turns.next_number, _turns.last_at)
    .where(_turns.workspace_id == bindparam("workspace_id"))
    .with_for_update(),
    "workspace_id",
)
_END = Statement(
    update(TurnRow)
    .where(_turns.workspace_id == bindparam("of_workspace"))
    .values(next_number=bindparam("next_number"), last_at=bindparam("last_at")),
    "of_workspace",
    "next_number",
    "last_at",
)
_DOCUMENT = Statement(
    select(_workspaces.document).where(_workspaces.workspace_id == bindparam("workspace_id")), "workspace_id"
)
_READ = Statement(
    select(_turns.version, _workspaces.document)
    .join(WorkspaceRow, _workspaces.workspace_id == _turns.workspace_id)
    .where(_turns.workspace_id == bindparam("workspace_id")),
    "workspace_id",
)


class Turns:
    """Takes turns; remembers workspaces by their version, which says when to read one again."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._known: dict[WorkspaceId, Workspace] = {}

    async def take(self, transaction: Transaction, workspace_id: WorkspaceId) -> Turn | None:
        """None when there is no such workspace."""
        row = await transaction.fetch_one(_TAKE, (workspace_id,))
        if row is None:
            return None
        version, number, last_at = row
        workspace = self._known.get(workspace_id)
        if workspace is None or workspace.version != version:
            found = await transaction.fetch_one(_DOCUMENT, (workspace_id,))
            assert found is not None  # it has a turn
            workspace = self._known[workspace_id] = read_workspace(found[0], version)
        return Turn(max(self._clock(), from_micros(last_at) + _MICROSECOND), number, workspace)

    async def end(self, transaction: Transaction, turn: Turn, *, numbers: int = 0) -> None:
        """The time was used, and so many numbers."""
        row = (turn.workspace.workspace_id, turn.number + numbers, to_micros(turn.at))
        await transaction.execute(_END, row)

    async def read(self, database: Database, workspace_id: WorkspaceId) -> Workspace | None:
        """As committed by now."""
        row = await database.fetch_one(_READ, (workspace_id,))
        if row is None:
            return None
        version, document = row
        workspace = self._known.get(workspace_id)
        if workspace is None or workspace.version != version:
            # Not remembered: a unit that is undone yet may have read a version that never will be.
            workspace = read_workspace(document, version)
        return workspace
