"""Leads that wait, in a database."""

from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import Any, Final

from sqlalchemy import bindparam, delete, insert, select, update

from libs.storage import Database, Statement, StorageUnavailableError, Transaction, from_micros, table_of, to_micros
from services.directory.domain.contact import Contact, ContactId, Details, Identity, WorkspaceId
from services.directory.domain.delivery import Known
from services.directory.domain.identifying import identified
from services.directory.domain.leads import NoWorkspace, Turn
from services.directory.domain.rewriting import admit, rewritten
from services.directory.domain.telecrm.intake import Entry, EntryId, Upsert
from services.directory.ports.leads import Noting
from services.directory.store import statements
from services.directory.store.actions import ADD_ACTION
from services.directory.store.documents import action_row
from services.directory.store.leads import SqlLeads
from services.directory.store.sql import known_of
from services.directory.store.tables import IntakeRow
from services.directory.store.turns import Turns
from services.directory.store.writing import Writing, buckets_of, write

_TRIES: Final = 12
_entries = table_of(IntakeRow).c
_COLUMNS: Final = (
    "entry_id",
    "workspace_id",
    "body",
    "received_at",
    "due_at",
    "correlation_id",
    "traceparent",
    "attempts",
)

_PUT = Statement(insert(IntakeRow).values({name: bindparam(name) for name in _COLUMNS}), *_COLUMNS)
_WAITING = Statement(
    select(*(_entries[name] for name in _COLUMNS))
    .where(_entries.due_at <= bindparam("now"))
    .order_by(_entries.entry_id)
    .limit(bindparam("limit")),
    "now",
    "limit",
)
_TAKE = Statement(
    select(_entries.entry_id).where(_entries.entry_id == bindparam("entry_id")).with_for_update(), "entry_id"
)
_DROP = Statement(delete(IntakeRow).where(_entries.entry_id == bindparam("entry_id")), "entry_id")
_PUT_OFF = Statement(
    update(IntakeRow)
    .where(_entries.entry_id == bindparam("of_entry"))
    .values(due_at=bindparam("due_at"), attempts=_entries.attempts + 1),
    "of_entry",
    "due_at",
)


class _Again(Enum):
    """The contact changed, came or went while its change was decided."""

    AGAIN = "again"


class SqlIntake:
    """IntakeBook and IntakeWriter.

    A unit takes the entry first, and then locks what those of SqlLeads lock, in the same order; what it locks follows
    from a change that was decided before it, and is decided again when the contact has changed since.
    """

    def __init__(self, database: Database, turns: Turns, leads: SqlLeads) -> None:
        self._database = database
        self._turns = turns
        self._leads = leads

    async def put(self, entry: Entry) -> None:
        row = (
            entry.entry_id,
            entry.workspace_id,
            entry.body,
            to_micros(entry.received_at),
            to_micros(entry.due_at),
            entry.correlation_id,
            entry.traceparent,
            entry.attempts,
        )
        await self._execute(_PUT, row)

    async def waiting(self, *, now: datetime, limit: int) -> list[Entry]:
        return [_read(row) for row in await self._database.fetch(_WAITING, (to_micros(now), limit))]

    async def put_off(self, entry_id: EntryId, *, until: datetime) -> None:
        await self._execute(_PUT_OFF, (entry_id, to_micros(until)))

    async def drop(self, entry_id: EntryId) -> None:
        await self._execute(_DROP, (entry_id,))

    async def upsert(
        self, entry_id: EntryId, upsert: Upsert, *, mint: Callable[[datetime], ContactId], noting: Noting
    ) -> Contact | NoWorkspace | None:
        for _ in range(_TRIES):
            result = await self._try(entry_id, upsert, mint, noting)
            if not isinstance(result, _Again):
                return result
        raise StorageUnavailableError("others change the same contact all the time")

    async def _execute(self, statement: Statement, row: tuple[Any, ...]) -> None:
        async def unit(transaction: Transaction) -> None:
            await transaction.execute(statement, row)

        await self._database.write(unit)

    async def _try(
        self, entry_id: EntryId, upsert: Upsert, mint: Callable[[datetime], ContactId], noting: Noting
    ) -> Contact | NoWorkspace | _Again | None:
        workspace_id, unique = upsert.workspace_id, upsert.unique
        workspace = await self._turns.read(self._database, workspace_id)
        if workspace is None:
            return NoWorkspace.NO_WORKSPACE
        contact = await self._leads.by_identity(workspace_id, unique)
        made = upsert.created(workspace) if contact is None else upsert.changed(contact, workspace)
        details = identified(made, workspace)
        held: tuple[Identity, ...] = () if contact is None else contact.details.identities
        touched = sorted({unique, *details.identities, *held})

        async def unit(transaction: Transaction) -> Contact | NoWorkspace | _Again | None:
            if await transaction.fetch_one(_TAKE, (entry_id,)) is None:
                return None
            await transaction.fetch(statements.LOCK, (buckets_of(touched),))
            known = await known_of(transaction, workspace_id, touched)
            if not _is_still(contact, known, unique):
                return _Again.AGAIN
            turn = await self._turns.take(transaction, workspace_id)
            if turn is None:
                return NoWorkspace.NO_WORKSPACE
            if turn.workspace != workspace:
                return _Again.AGAIN
            written, writing = _written(contact, details, known, mint, turn)
            await write(transaction, self._turns, turn, writing)
            await _note(transaction, written, turn, noting)
            await transaction.execute(_DROP, (entry_id,))
            return written

        return await self._database.write(unit)


def _is_still(contact: Contact | None, known: Known, unique: Identity) -> bool:
    """Whether the identity leads to what it led to before the unit."""
    owner = known.owners.get(unique)
    if contact is None or owner is None:
        return contact is None and owner is None
    return known.contacts[owner].contact_id == contact.contact_id and known.contacts[owner].version == contact.version


def _written(
    contact: Contact | None, details: Details, known: Known, mint: Callable[[datetime], ContactId], turn: Turn
) -> tuple[Contact, Writing]:
    """The contact as it becomes, and what that writes."""
    if contact is None:
        admitted = admit(details, known.owners, contact_id=mint(turn.at), turn=turn)
        return admitted.contact, Writing(created=[admitted.contact], claims=admitted.claims)
    if details == contact.details:
        return contact, Writing()
    change = rewritten(contact, details, known.owners, turn=turn)
    dropped = [(identity, contact.contact_id) for identity in change.dropped]
    return change.contact, Writing(changed=[(contact, change.contact)], claims=change.claims, dropped=dropped)


async def _note(transaction: Transaction, contact: Contact, turn: Turn, noting: Noting) -> None:
    actions = noting(contact._replace(changed_at=turn.at))
    if actions:
        rows = [action_row(turn.workspace.workspace_id, action) for action in actions]
        await transaction.execute_many(ADD_ACTION, rows)


def _read(row: tuple[Any, ...]) -> Entry:
    entry_id, workspace_id, body, received_at, due_at, correlation_id, traceparent, attempts = row
    return Entry(
        entry_id=EntryId(entry_id),
        workspace_id=WorkspaceId(workspace_id),
        body=body,
        received_at=from_micros(received_at),
        due_at=from_micros(due_at),
        correlation_id=correlation_id,
        traceparent=traceparent,
        attempts=attempts,
    )
