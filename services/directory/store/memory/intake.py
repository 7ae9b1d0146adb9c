"""Leads that wait, in memory."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from services.directory.domain.contact import Contact, ContactId
from services.directory.domain.leads import Changed, Created, NoWorkspace
from services.directory.domain.telecrm.intake import Entry, EntryId, Upsert
from services.directory.ports.leads import Noting
from services.directory.store.memory.leads import MemoryLeads
from services.directory.store.memory.shelf import Shelf


class MemoryIntake:
    """IntakeBook and IntakeWriter."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._leads = MemoryLeads(shelf)
        self._entries: dict[EntryId, Entry] = {}

    async def put(self, entry: Entry) -> None:
        self._entries[entry.entry_id] = entry

    async def waiting(self, *, now: datetime, limit: int) -> list[Entry]:
        due = [entry for entry in self._entries.values() if entry.due_at <= now]
        return sorted(due, key=lambda entry: entry.entry_id)[:limit]

    async def put_off(self, entry_id: EntryId, *, until: datetime) -> None:
        entry = self._entries[entry_id]
        self._entries[entry_id] = replace(entry, due_at=until, attempts=entry.attempts + 1)

    async def drop(self, entry_id: EntryId) -> None:
        self._entries.pop(entry_id, None)

    async def upsert(
        self, entry_id: EntryId, upsert: Upsert, *, mint: Callable[[datetime], ContactId], noting: Noting
    ) -> Contact | NoWorkspace | None:
        if entry_id not in self._entries:
            return None
        turn = self._shelf.take(upsert.workspace_id)
        if turn is None:
            return NoWorkspace.NO_WORKSPACE
        del self._entries[entry_id]
        contact = await self._written(upsert, mint)
        for action in noting(contact._replace(changed_at=turn.at)):
            self._shelf.actions[upsert.workspace_id, action.action_id] = action
        return contact

    async def _written(self, upsert: Upsert, mint: Callable[[datetime], ContactId]) -> Contact:
        workspace_id = upsert.workspace_id
        known = await self._leads.by_identity(workspace_id, upsert.unique)
        if known is None:
            details = upsert.created(self._shelf.workspaces[workspace_id])
            made = await self._leads.create(workspace_id, details, mint=mint, unique=upsert.unique)
            assert isinstance(made, Created)  # nothing came in between
            return made.contact
        changed = await self._leads.change(workspace_id, known.contact_id, upsert.changed)
        assert isinstance(changed, Changed)  # likewise
        return changed.contact
