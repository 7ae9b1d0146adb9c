"""Posts the letters of new and renamed contacts, behind the units that wrote them.

Until then a substring search reads them one by one: they are found at once, and an import does not pay for letters.
"""

from typing import Final

from sqlalchemy import bindparam, delete, insert, select, update

from libs.storage import Database, Statement, Transaction, any_of, table_of
from services.directory.domain.contact import WorkspaceId
from services.directory.domain.leads import Turn
from services.directory.domain.letters import letter_terms, lettered
from services.directory.domain.terms import terms_of
from services.directory.store import statements
from services.directory.store.postings import Posting
from services.directory.store.rows import read_contact
from services.directory.store.tables import ContactRow, TurnRow, UnletteredRow
from services.directory.store.turns import Turns

_AT_ONCE: Final = 1000
_AT_ONCE_ALONE: Final = 4096
"""While nobody else creates contacts: a block of postings is then written about once."""

_INDEXED_AT_ONCE: Final = 5000
_contacts, _unlettered, _turns = table_of(ContactRow).c, table_of(UnletteredRow).c, table_of(TurnRow).c
_SOME = Statement(select(_unlettered.workspace_id).limit(1))
# By their ids, told first: else SQLite walks the book for them.
_WAITING = Statement(
    select(*statements.SHOWN)
    .where(
        _contacts.workspace_id == bindparam("workspace_id"),
        _contacts.contact_id.in_(
            select(_unlettered.contact_id)
            .where(_unlettered.workspace_id == bindparam("workspace_id"))
            .order_by(_unlettered.contact_id)
            .limit(bindparam("limit"))
        ),
        _contacts.deleted_at.is_(None),
    )
    .order_by(_contacts.contact_id),
    "workspace_id",
    "limit",
)
_DONE = Statement(
    delete(UnletteredRow).where(
        _unlettered.workspace_id == bindparam("workspace_id"), any_of(_unlettered.contact_id, "contact_ids")
    ),
    "workspace_id",
    "contact_ids",
)
_NOT_INDEXED = Statement(select(_turns.workspace_id).where(_turns.unindexed == 1))
_INDEXED = Statement(
    update(TurnRow).where(_turns.workspace_id == bindparam("of_workspace")).values(unindexed=0), "of_workspace"
)
_BEHIND = statements.LISTINGS[0, False]
_NOTE_ALL = Statement(
    insert(UnletteredRow).from_select(
        ["workspace_id", "contact_id"],
        select(_contacts.workspace_id, _contacts.contact_id).where(
            _contacts.workspace_id == bindparam("workspace_id"), _contacts.deleted_at.is_(None)
        ),
    ),
    "workspace_id",
)


class SqlLettering:
    """Lettering, and what is due once after an upgrade."""

    def __init__(self, database: Database, turns: Turns) -> None:
        self._database = database
        self._turns = turns
        self._next_numbers: dict[WorkspaceId, int] = {}

    async def letter_some(self) -> int:
        row = await self._database.fetch_one(_SOME)
        if row is None:
            return 0
        workspace_id = WorkspaceId(row[0])

        async def unit(transaction: Transaction) -> int:
            turn = await self._turns.take(transaction, workspace_id)
            if turn is None:
                return 0
            alone = self._next_numbers.get(workspace_id) == turn.number
            self._next_numbers[workspace_id] = turn.number
            rows = await transaction.fetch(_WAITING, (workspace_id, _AT_ONCE_ALONE if alone else _AT_ONCE))
            contacts, posting = [read_contact(row) for row in rows], Posting()
            for contact in contacts:
                posting.add(contact.number, letter_terms(workspace_id, lettered(contact.details)))
            await posting.write(transaction)
            await transaction.execute(_DONE, (workspace_id, [contact.contact_id for contact in contacts]))
            return len(contacts)

        return await self._database.write(unit)

    async def index_old(self) -> None:
        """Posts the contacts that came before there were postings, before anyone searches them; else does nothing."""
        for (workspace_id,) in await self._database.fetch(_NOT_INDEXED):

            async def unit(transaction: Transaction, workspace_id: WorkspaceId = workspace_id) -> None:
                turn = await self._turns.take(transaction, workspace_id)
                # Another process may have done it while this one waited for its turn.
                if turn is not None and (workspace_id,) in await transaction.fetch(_NOT_INDEXED):
                    await _index_all(transaction, turn)
                    await transaction.execute(_NOTE_ALL, (workspace_id,))
                    await transaction.execute(_INDEXED, (workspace_id,))

            await self._database.write(unit)


async def _index_all(transaction: Transaction, turn: Turn) -> None:
    after, workspace = "", turn.workspace
    while rows := await transaction.fetch(_BEHIND, (workspace.workspace_id, after, _INDEXED_AT_ONCE)):
        posting = Posting()
        for contact in map(read_contact, rows):
            posting.add(contact.number, terms_of(contact.details, workspace))
            after = contact.contact_id
        await posting.write(transaction)
