"""The Async API: what is accepted is on disk, and done later, once."""

import json
from collections.abc import Sequence
from datetime import datetime

from services.directory.domain.contact import ContactId, WorkspaceId
from services.directory.domain.minting import ENTROPY_BYTES, open_mint
from services.directory.domain.telecrm.actions import PREFIX
from services.directory.domain.telecrm.intake import Entry, EntryId, next_try, read_upsert
from services.directory.domain.telecrm.leads import new_labels
from services.directory.domain.telecrm.looking_up import asked_texts
from services.directory.domain.telecrm.refusals import EnterpriseNotFoundError
from services.directory.handler.telecrm.enterprise import Enterprise
from services.directory.handler.telecrm.leads import noting
from services.directory.ports import Clock, Entropy
from services.directory.ports.intake import IntakeAnnouncer, IntakeBook, IntakeWriter

_AT_ONCE = 64


class Intake:
    """Leads that are accepted now and put into the book soon."""

    def __init__(
        self,
        *,
        enterprise: Enterprise,
        book: IntakeBook,
        writer: IntakeWriter,
        announcer: IntakeAnnouncer,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._enterprise = enterprise
        self._book = book
        self._writer = writer
        self._announcer = announcer
        self._clock = clock
        self._entropy = entropy

    async def accept(
        self, workspace_id: WorkspaceId, body: str, *, correlation_id: str = "", traceparent: str = ""
    ) -> Entry:
        """On disk when it returns. `body` is a JSON object; its fields are an object and its actions an array."""
        now = self._clock()
        entry = Entry(
            entry_id=EntryId(open_mint(now, self._entropy(ENTROPY_BYTES)).contact_id(0)),
            workspace_id=workspace_id,
            body=body,
            received_at=now,
            due_at=now,
            correlation_id=correlation_id,
            traceparent=traceparent,
        )
        await self._book.put(entry)
        self._announcer.announce([entry])
        return entry

    async def waiting(self) -> Sequence[Entry]:
        """The first that are due, in order of arrival."""
        return await self._book.waiting(now=self._clock(), limit=_AT_ONCE)

    async def put_off(self, entry: Entry) -> None:
        """One more attempt has failed; the next comes later."""
        await self._book.put_off(entry.entry_id, until=next_try(entry.attempts + 1, now=self._clock()))

    async def apply(self, entry: Entry) -> bool:
        """Creates the lead or updates it, once. False: it has no identifier, and is dropped."""
        try:
            workspace = await self._enterprise.get(entry.workspace_id)
        except EnterpriseNotFoundError:
            return await self._drop(entry)
        body = json.loads(entry.body)
        fields, actions = body.get("fields", {}), body.get("actions", [])
        facts = await self._enterprise.look_up(workspace, asked_texts(workspace, fields, actions, prefix=PREFIX))
        upsert = read_upsert(fields, actions, workspace, facts, now=entry.received_at)
        if upsert is None:
            return await self._drop(entry)
        entropy = self._entropy(ENTROPY_BYTES)

        def mint(at: datetime) -> ContactId:
            return open_mint(at, entropy).contact_id(0)

        ids = self._enterprise.action_ids(upsert.judged, now=self._clock())
        await self._writer.upsert(entry.entry_id, upsert, mint=mint, noting=noting(upsert.judged, ids))
        await self._enterprise.learn(entry.workspace_id, new_labels(upsert.values, workspace))
        return True

    async def _drop(self, entry: Entry) -> bool:
        await self._book.drop(entry.entry_id)
        return False
