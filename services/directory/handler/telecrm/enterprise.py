"""A workspace, and what is looked up in it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from services.directory.domain.action import ActionId
from services.directory.domain.contact import WorkspaceId
from services.directory.domain.fields import CustomField, Fields, Option
from services.directory.domain.member import MemberState
from services.directory.domain.minting import ENTROPY_BYTES, open_mint
from services.directory.domain.telecrm.actions import Judged
from services.directory.domain.telecrm.looking_up import Asked
from services.directory.domain.telecrm.refusals import DefinitionNotFoundError, EnterpriseNotFoundError, shown
from services.directory.domain.telecrm.values import Facts
from services.directory.domain.workspace import CustomAction, Workspace
from services.directory.ports import Entropy, MemberBook, WorkspaceBook, WorkspaceChanges
from services.directory.ports.phones import Phones

_ID_BYTES = 12
_AWAY = frozenset({MemberState.INACTIVE, MemberState.DELETED})


class Enterprise:
    """What the telecrm APIs know of a workspace."""

    def __init__(
        self,
        *,
        workspaces: WorkspaceBook,
        changes: WorkspaceChanges,
        members: MemberBook,
        phones: Phones,
        entropy: Entropy,
    ) -> None:
        self._workspaces = workspaces
        self._changes = changes
        self._members = members
        self._phones = phones
        self._entropy = entropy

    async def get(self, workspace_id: WorkspaceId) -> Workspace:
        """Raises EnterpriseNotFoundError."""
        found = await self._workspaces.get(workspace_id)
        if found is None:
            raise EnterpriseNotFoundError(workspace_id)
        return found

    async def field(self, workspace_id: WorkspaceId, api_name: str) -> CustomField:
        """By the exact name. Raises DefinitionNotFoundError."""
        found = (await self.get(workspace_id)).fields.find(api_name)
        if found is None:
            raise DefinitionNotFoundError(f"Could not find custom field with apiName {shown(api_name)}")
        return found

    async def action(self, workspace_id: WorkspaceId, code: str) -> CustomAction:
        """By the whole code. Raises DefinitionNotFoundError."""
        found = (await self.get(workspace_id)).find_action(code)
        if found is None:
            raise DefinitionNotFoundError(f"Custom action with code {shown(code)} was not found.")
        return found

    async def look_up(self, workspace: Workspace, asked: Asked) -> Facts:
        """What is asked about a request's texts."""
        phones = await self._phones.read(asked.phones, country=workspace.country)
        members = set()
        for email in asked.emails:
            found = await self._members.find(workspace.workspace_id, email)
            if found is not None and found.seat and found.state not in _AWAY:
                members.add(email.casefold())
        return Facts(workspace.pipeline, phones, frozenset(members))

    def action_ids(self, judged: Judged, *, now: datetime) -> tuple[ActionId | None, ...]:
        """A new id for each action that is kept, in their order."""
        mint = open_mint(now, self._entropy(ENTROPY_BYTES))
        return tuple(
            None if draft is None else ActionId(mint.contact_id(place)) for place, draft in enumerate(judged.drafts)
        )

    async def learn(self, workspace_id: WorkspaceId, labels: Mapping[str, str]) -> None:
        """Makes each label an option of its dropdown, which it may have become meanwhile."""
        if labels:
            ids = {name: self._entropy(_ID_BYTES).hex() for name in labels}
            await self._changes.change(workspace_id, lambda workspace: _with_options(workspace, labels, ids))


def _with_options(workspace: Workspace, labels: Mapping[str, str], ids: Mapping[str, str]) -> Workspace | None:
    """None: they are all there."""
    fields = Fields(tuple(_with_option(field, labels, ids) for field in workspace.fields))
    return None if fields == workspace.fields else replace(workspace, fields=fields)


def _with_option(field: CustomField, labels: Mapping[str, str], ids: Mapping[str, str]) -> CustomField:
    label = labels.get(field.api_name)
    if label is None or any(option.label == label for option in field.options):
        return field
    return replace(field, options=(*field.options, Option(ids[field.api_name], label)))
