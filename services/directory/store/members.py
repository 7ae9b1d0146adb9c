"""Members in a database."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from sqlalchemy import Select, bindparam, delete, func, select

from libs.storage import Database, Row, Statement, Transaction, table_of
from services.directory.domain.contact import WorkspaceId
from services.directory.domain.credential import CredentialKind
from services.directory.domain.member import Joined, Member, MemberPage, MemberState, NotJoined
from services.directory.domain.search import fold
from services.directory.store.documents import member_row, read_member
from services.directory.store.tables import CredentialRow, MemberRow
from services.directory.store.turns import Turns

_members, _credentials = table_of(MemberRow).c, table_of(CredentialRow).c
_COLUMNS: Final = ("workspace_id", "email_key", "name_key", "state", "seat", "document")
_OF_WORKSPACE = _members.workspace_id == bindparam("workspace_id")
_HERE = _members.state != MemberState.DELETED.value

_PUT = Statement(
    lambda insert: (
        put := insert(MemberRow).values({name: bindparam(name) for name in _COLUMNS})
    ).on_conflict_do_update(
        index_elements=["workspace_id", "email_key"], set_={name: put.excluded[name] for name in _COLUMNS[2:]}
    ),
    *_COLUMNS,
)
_FIND = Statement(
    select(_members.document).where(_OF_WORKSPACE, _members.email_key == bindparam("email_key")),
    "workspace_id",
    "email_key",
)
_SEATS_TAKEN = Statement(select(func.count()).where(_OF_WORKSPACE, _members.seat == 1, _HERE), "workspace_id")


def _team(*, deleted: bool) -> tuple[Statement, Statement]:
    """A page of the team, and how many it has."""
    which = [_OF_WORKSPACE, _members.seat == 1, *([] if deleted else [_HERE])]
    page: Select[tuple[str]] = select(_members.document).where(*which).order_by(_members.name_key, _members.email_key)
    page = page.limit(bindparam("limit")).offset(bindparam("skip"))
    count = Statement(select(func.count()).select_from(MemberRow).where(*which), "workspace_id")
    return Statement(page, "workspace_id", "limit", "skip"), count


_TEAMS: Final = {deleted: _team(deleted=deleted) for deleted in (False, True)}
_DROP_KEYS = Statement(
    delete(CredentialRow).where(
        _credentials.workspace_id == bindparam("workspace_id"),
        _credentials.kind == CredentialKind.CONNECT.name,
        _credentials.user_key == bindparam("user_key"),
    ),
    "workspace_id",
    "user_key",
)


class SqlMembers:
    """MemberBook and MemberChanges. Every writer takes the workspace's turn, so seats are counted right."""

    def __init__(self, database: Database, turns: Turns) -> None:
        self._database = database
        self._turns = turns

    async def join(self, member: Member) -> Joined | NotJoined:
        async def unit(transaction: Transaction) -> Joined | NotJoined:
            turn = await self._turns.take(transaction, member.workspace_id)
            if turn is None:
                return NotJoined.NO_WORKSPACE
            known = await _find(transaction, member.workspace_id, member.email)
            if known is not None and known.state is not MemberState.DELETED and (known.seat or not member.seat):
                return NotJoined.EXISTS
            if member.seat:
                taken = await transaction.fetch_one(_SEATS_TAKEN, (member.workspace_id,))
                if taken is None or taken[0] >= turn.workspace.seats:
                    return NotJoined.NO_SEAT
            await transaction.execute(_PUT, member_row(member))
            return Joined(member)

        return await self._database.write(unit)

    async def find(self, workspace_id: WorkspaceId, email: str, *, deleted: bool = False) -> Member | None:
        row = await self._database.fetch_one(_FIND, _key(workspace_id, email))
        found = None if row is None else read_member(row[0])
        return None if found is not None and found.state is MemberState.DELETED and not deleted else found

    async def page(self, workspace_id: WorkspaceId, *, deleted: bool, skip: int, limit: int) -> MemberPage:
        page, count = _TEAMS[deleted]
        rows = await self._database.fetch(page, (workspace_id, limit, skip))
        total = await self._database.fetch_one(count, (workspace_id,))
        return MemberPage([read_member(row[0]) for row in rows], int(total[0]) if total else 0)

    async def change(self, workspace_id: WorkspaceId, email: str, decide: Callable[[Member], Member]) -> Member | None:
        async def unit(transaction: Transaction) -> Member | None:
            await self._turns.take(transaction, workspace_id)
            known = await _find(transaction, workspace_id, email)
            if known is None or known.state is MemberState.DELETED:
                return None
            changed = decide(known)
            await transaction.execute(_PUT, member_row(changed))
            return changed

        return await self._database.write(unit)

    async def remove(self, workspace_id: WorkspaceId, email: str) -> bool:
        async def unit(transaction: Transaction) -> bool:
            await self._turns.take(transaction, workspace_id)
            known = await _find(transaction, workspace_id, email)
            if known is None or known.state is MemberState.DELETED:
                return False
            await transaction.execute(_PUT, member_row(replace(known, state=MemberState.DELETED)))
            await transaction.execute(_DROP_KEYS, _key(workspace_id, email))
            return True

        return await self._database.write(unit)


async def _find(transaction: Transaction, workspace_id: WorkspaceId, email: str) -> Member | None:
    row = await transaction.fetch_one(_FIND, _key(workspace_id, email))
    return None if row is None else read_member(row[0])


def _key(workspace_id: WorkspaceId, email: str) -> Row:
    return workspace_id, fold(email.strip())
