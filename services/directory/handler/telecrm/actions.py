"""Actions of leads."""

from collections.abc import Mapping

from services.directory.domain.action import Action, ActionId, ActionPage
from services.directory.domain.contact import ContactId, WorkspaceId
from services.directory.domain.telecrm.actions import NOT_WRITABLE, changed_action, is_writable, judge_actions
from services.directory.domain.telecrm.looking_up import asked_texts
from services.directory.domain.telecrm.outcomes import Outcome, is_id
from services.directory.domain.telecrm.paging import Paging
from services.directory.domain.telecrm.refusals import ActionNotFoundError, BadRequestError, LeadNotFoundError
from services.directory.domain.telecrm.searching import read_action_search
from services.directory.handler.telecrm.enterprise import Enterprise
from services.directory.handler.telecrm.leads import TelecrmLeads, given_actions, noting
from services.directory.ports import ActionBook, ActionChanges, Clock


class TelecrmActions:
    """Actions by the rules of telecrm."""

    def __init__(
        self,
        *,
        enterprise: Enterprise,
        leads: TelecrmLeads,
        actions: ActionBook,
        changes: ActionChanges,
        clock: Clock,
    ) -> None:
        self._enterprise = enterprise
        self._leads = leads
        self._actions = actions
        self._changes = changes
        self._clock = clock

    async def add(self, workspace_id: WorkspaceId, lead_id: str, body: Mapping[str, object]) -> Outcome:
        """Each action for itself, all that can be kept in one unit. Raises LeadNotFoundError and BadRequestError."""
        workspace = await self._enterprise.get(workspace_id)
        contact = await self._leads.find(workspace_id, lead_id)
        given = given_actions(body)
        if not given:
            raise BadRequestError("actions must be an array of at least one action")
        if not all(isinstance(each, dict) and is_writable(each.get("type")) for each in given):
            raise BadRequestError(NOT_WRITABLE)
        facts = await self._enterprise.look_up(workspace, asked_texts(workspace, {}, given))
        now = self._clock()
        judged = judge_actions(given, workspace, facts, now=now)
        ids = self._enterprise.action_ids(judged, now=now)
        kept = noting(judged, ids)(contact._replace(changed_at=now))
        if kept and not await self._actions.add(workspace_id, contact.contact_id, kept):
            raise LeadNotFoundError
        return Outcome(contact.contact_id, ids, judged.remarks)

    async def get(self, workspace_id: WorkspaceId, lead_id: str, action_id: str) -> Action:
        """Raises LeadNotFoundError and ActionNotFoundError."""
        contact = await self._leads.find(workspace_id, lead_id)
        return await self._find(workspace_id, contact.contact_id, action_id)

    async def update(
        self, workspace_id: WorkspaceId, lead_id: str, action_id: str, body: Mapping[str, object]
    ) -> Action:
        """Raises LeadNotFoundError, ActionNotFoundError, and what `changed_action` raises."""
        workspace = await self._enterprise.get(workspace_id)
        contact = await self._leads.find(workspace_id, lead_id)
        await self._find(workspace_id, contact.contact_id, action_id)
        facts = await self._enterprise.look_up(workspace, asked_texts(workspace, {}, [dict(body)]))

        def decide(known: Action) -> Action:
            return changed_action(known, body, workspace, facts)

        changed = await self._changes.change(workspace_id, contact.contact_id, ActionId(action_id), decide)
        if changed is None:
            raise ActionNotFoundError(action_id)
        return changed

    async def search(
        self, workspace_id: WorkspaceId, lead_id: str, body: Mapping[str, object], paging: Paging
    ) -> ActionPage:
        """Newest first. Raises LeadNotFoundError and BadRequestError."""
        contact = await self._leads.find(workspace_id, lead_id)
        which = read_action_search(body)
        return await self._actions.page(workspace_id, contact.contact_id, which, skip=paging.skip, limit=paging.limit)

    async def _find(self, workspace_id: WorkspaceId, contact_id: ContactId, action_id: str) -> Action:
        found = await self._actions.get(workspace_id, contact_id, ActionId(action_id)) if is_id(action_id) else None
        if found is None:
            raise ActionNotFoundError(action_id)
        return found
