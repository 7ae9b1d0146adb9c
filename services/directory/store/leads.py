"""Single contacts in a database."""

from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import Final, TypeVar

from sqlalchemy import bindparam, select

from libs.storage import Database, Statement, StorageUnavailableError, Transaction, table_of
from services.directory.domain.contact import Contact, ContactId, Details, Identity, WorkspaceId
from services.directory.domain.identifying import identified
from services.directory.domain.leads import Changed, Created, Exists, NoContact, NoWorkspace
from services.directory.domain.rewriting import admit, rewritten
from services.directory.domain.workspace import Workspace
from services.directory.ports.leads import Noting
from services.directory.store import statements
from services.directory.store.actions import ADD_ACTION
from services.directory.store.documents import action_row
from services.directory.store.rows import read_contact
from services.directory.store.sql import known_of
from services.directory.store.tables import ContactRow, IdentityRow
from services.directory.store.turns import Turns
from services.directory.store.writing import Writing, buckets_of, write

R = TypeVar("R")
_TRIES: Final = 12
_contacts, _identities = table_of(ContactRow).c, table_of(IdentityRow).c

_BY_NUMBER = Statement(
    select(*statements.SHOWN).where(
        _contacts.workspace_id == bindparam("workspace_id"),
        _contacts.number == bindparam("number"),
        _contacts.deleted_at.is_(None),
    ),
    "workspace_id",
    "number",
)
_OWNER = Statement(
    select(_identities.contact_id).where(
        _identities.workspace_id == bindparam("workspace_id"),
        _identities.identity == bindparam("identity"),
        _identities.rank == 0,
    ),
    "workspace_id",
    "identity",
)


class _Again(Enum):
    """The contact changed while its change was decided."""

    AGAIN = "again"


class SqlLeads:
    """LeadWriter and LeadLookup.

    A unit locks what SqlBook says, in the same order. A change is decided before its unit, which must know what
    identities to lock, and again when the contact has changed since.
    """

    def __init__(self, database: Database, turns: Turns) -> None:
        self._database = database
        self._turns = turns

    async def create(
        self,
        workspace_id: WorkspaceId,
        details: Details,
        *,
        mint: Callable[[datetime], ContactId],
        unique: Identity | None,
        noting: Noting | None = None,
    ) -> Created | Exists | NoWorkspace:
        workspace = await self._turns.read(self._database, workspace_id)
        if workspace is None:
            return NoWorkspace.NO_WORKSPACE
        whole = identified(details, workspace)
        identities = [*whole.identities, *([] if unique is None else [unique])]

        async def unit(transaction: Transaction) -> Created | Exists | NoWorkspace:
            await transaction.fetch(statements.LOCK, (buckets_of(identities),))
            known = await known_of(transaction, workspace_id, identities)
            if unique is not None and unique in known.owners:
                return Exists(known.contacts[known.owners[unique]])
            turn = await self._turns.take(transaction, workspace_id)
            if turn is None:
                return NoWorkspace.NO_WORKSPACE
            admitted = admit(whole, known.owners, contact_id=mint(turn.at), turn=turn)
            contact = admitted.contact
            await write(transaction, self._turns, turn, Writing(created=[contact], claims=admitted.claims))
            if noting is not None and (actions := noting(contact)):
                await transaction.execute_many(ADD_ACTION, [action_row(workspace_id, action) for action in actions])
            return Created(contact)

        return await self._database.write(unit)

    async def change(
        self, workspace_id: WorkspaceId, contact_id: ContactId, decide: Callable[[Contact, Workspace], Details | R]
    ) -> Changed | NoContact | R:
        def decided(contact: Contact, workspace: Workspace) -> Details | R:
            details = decide(contact, workspace)
            return identified(details, workspace) if isinstance(details, Details) else details

        for _ in range(_TRIES):
            result = await self._try_to_change(workspace_id, contact_id, decided)
            if not isinstance(result, _Again):
                return result
        raise StorageUnavailableError("others change the same contact all the time")

    async def by_number(self, workspace_id: WorkspaceId, number: int) -> Contact | None:
        row = await self._database.fetch_one(_BY_NUMBER, (workspace_id, number))
        return None if row is None else read_contact(row)

    async def by_identity(self, workspace_id: WorkspaceId, identity: Identity) -> Contact | None:
        owner = await self._database.fetch_one(_OWNER, (workspace_id, identity))
        return None if owner is None else await self._get(workspace_id, owner[0])

    async def _get(self, workspace_id: WorkspaceId, contact_id: ContactId) -> Contact | None:
        row = await self._database.fetch_one(statements.GET_CONTACT, (workspace_id, contact_id))
        return None if row is None else read_contact(row)

    async def _try_to_change(
        self, workspace_id: WorkspaceId, contact_id: ContactId, decide: Callable[[Contact, Workspace], Details | R]
    ) -> Changed | NoContact | R | _Again:
        contact = await self._get(workspace_id, contact_id)
        workspace = await self._turns.read(self._database, workspace_id)
        if contact is None or workspace is None:
            return NoContact.NO_CONTACT
        details = decide(contact, workspace)
        if not isinstance(details, Details):
            return details
        if details == contact.details:
            return Changed(contact)
        touched = sorted(set(contact.details.identities) | set(details.identities))

        async def unit(transaction: Transaction) -> Changed | NoContact | _Again:
            await transaction.fetch(statements.LOCK, (buckets_of(touched),))
            owners = dict(await transaction.fetch(statements.FIND_OWNERS, (workspace_id, touched)))
            ids = list({contact_id, *owners.values()})
            rows = await transaction.fetch(statements.TAKE_CONTACTS, (workspace_id, ids))
            live = {each.contact_id: each for each in map(read_contact, rows)}
            if contact_id not in live:
                return NoContact.NO_CONTACT
            turn = await self._turns.take(transaction, workspace_id)
            if turn is None or live[contact_id].version != contact.version or turn.workspace != workspace:
                return _Again.AGAIN
            known = {identity: owner for identity, owner in owners.items() if owner in live}
            change = rewritten(contact, details, known, turn=turn)
            dropped = [(identity, contact_id) for identity in change.dropped]
            writing = Writing(changed=[(contact, change.contact)], claims=change.claims, dropped=dropped)
            await write(transaction, self._turns, turn, writing)
            return Changed(change.contact)

        return await self._database.write(unit)
