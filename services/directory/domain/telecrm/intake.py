"""Leads that the Async API has accepted and that wait to be put into the book."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NewType

from services.directory.domain.contact import Contact, Details, Identity, WorkspaceId
from services.directory.domain.telecrm.actions import PREFIX, Judged, judge_actions
from services.directory.domain.telecrm.leads import (
    changed_details,
    check_identifier,
    identity_of,
    new_details,
    read_lead,
)
from services.directory.domain.telecrm.refusals import InvalidLeadError
from services.directory.domain.telecrm.values import Facts
from services.directory.domain.workspace import Workspace

EntryId = NewType("EntryId", str)
_LONGEST_PAUSE = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A lead that waits, with the request that brought it. The order of ids is that of arrival.

    `body` is the request's JSON. It is not tried before `due_at`; `attempts` have failed.
    """

    entry_id: EntryId
    workspace_id: WorkspaceId
    body: str = field(repr=False)
    received_at: datetime
    due_at: datetime
    correlation_id: str = ""
    traceparent: str = ""
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Upsert:
    """What an entry does: creates the contact, unless one owns `unique`, which it then changes."""

    workspace_id: WorkspaceId
    unique: Identity = field(repr=False)
    values: Mapping[str, object] = field(repr=False)
    judged: Judged = field(repr=False)

    def created(self, workspace: Workspace) -> Details:
        """A new contact."""
        return new_details(self.values, workspace)

    def changed(self, contact: Contact, workspace: Workspace) -> Details:
        """The contact that there is. Its identifier stays, and so do locked fields."""
        fixed = {workspace.identifier, *(each.api_name for each in workspace.fields if each.lock_after_create)}
        values = {name: value for name, value in self.values.items() if name not in fixed}
        return changed_details(contact.details, values, workspace)


def read_upsert(
    fields: Mapping[str, object], actions: list[object], workspace: Workspace, facts: Facts, *, now: datetime
) -> Upsert | None:
    """What can be kept of it; None without an identifier: the whole is dropped, and nobody is told."""
    try:
        check_identifier(fields, workspace, facts)
    except InvalidLeadError:
        return None
    values = read_lead(fields, workspace, facts).values
    return Upsert(
        workspace_id=workspace.workspace_id,
        unique=identity_of(values, workspace),
        values=values,
        judged=judge_actions(actions, workspace, facts, now=now, prefix=PREFIX),
    )


def next_try(attempts: int, *, now: datetime) -> datetime:
    """When an entry of which so many attempts have failed is tried again."""
    return now + min(_LONGEST_PAUSE, timedelta(seconds=2 ** min(attempts, 12)))
