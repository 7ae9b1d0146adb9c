"""Leads."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from services.directory.domain.action import Action, ActionFilter, ActionId
from services.directory.domain.contact import Contact, ContactId, Details, WorkspaceId
from services.directory.domain.leads import Changed, Created, Exists, LeadPage, NoWorkspace
from services.directory.domain.telecrm.actions import Judged, judge_actions
from services.directory.domain.telecrm.leads import (
    changed_details,
    check_identifier,
    given_fields,
    identity_of,
    new_details,
    new_labels,
    read_changes,
    read_lead,
)
from services.directory.domain.telecrm.looking_up import asked_texts
from services.directory.domain.telecrm.outcomes import Outcome, is_id
from services.directory.domain.telecrm.paging import Paging
from services.directory.domain.telecrm.refusals import (
    BadRequestError,
    EnterpriseNotFoundError,
    InvalidLeadError,
    LeadExistsError,
    LeadNotFoundError,
)
from services.directory.domain.telecrm.searching import read_lead_search, searched_texts
from services.directory.domain.workspace import Workspace
from services.directory.handler.leads import Leads
from services.directory.handler.telecrm.enterprise import Enterprise
from services.directory.ports import ActionBook, Clock, LeadSearch

MOST_ACTIONS = 1000
"""Of one request."""


@dataclass(frozen=True, slots=True)
class FoundLead:
    """A lead in its workspace; `actions` None: they were not asked for."""

    contact: Contact = field(repr=False)
    workspace: Workspace
    actions: Sequence[Action] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class FoundLeads:
    """A page of leads in their workspace."""

    page: LeadPage
    workspace: Workspace


class TelecrmLeads:
    """Leads by the rules of telecrm."""

    def __init__(
        self,
        *,
        enterprise: Enterprise,
        leads: Leads,
        search: LeadSearch,
        actions: ActionBook,
        clock: Clock,
    ) -> None:
        self._enterprise = enterprise
        self._leads = leads
        self._search = search
        self._actions = actions
        self._clock = clock

    async def create(self, workspace_id: WorkspaceId, body: Mapping[str, object]) -> Outcome:
        """Raises InvalidLeadError, BadRequestError and LeadExistsError, and then nothing is written."""
        workspace = await self._enterprise.get(workspace_id)
        fields, actions = given_fields(body), given_actions(body)
        if fields is None:
            raise InvalidLeadError(f"fields must be an object that holds {workspace.identifier}")
        facts = await self._enterprise.look_up(workspace, asked_texts(workspace, fields, actions))
        check_identifier(fields, workspace, facts)
        read = read_lead(fields, workspace, facts)
        judged = judge_actions(actions, workspace, facts, now=self._clock())
        ids = self._enterprise.action_ids(judged, now=self._clock())
        made = await self._leads.create(
            workspace_id,
            new_details(read.values, workspace),
            unique=identity_of(read.values, workspace),
            noting=noting(judged, ids),
        )
        contact = _created(made, workspace_id)
        await self._enterprise.learn(workspace_id, new_labels(read.values, workspace))
        return Outcome(contact.contact_id, ids, (*read.remarks, *judged.remarks))

    async def get(self, workspace_id: WorkspaceId, lead_id: str, actions: Paging | None = None) -> FoundLead:
        """With that page of its actions. Raises LeadNotFoundError."""
        workspace = await self._enterprise.get(workspace_id)
        contact = await self.find(workspace_id, lead_id)
        if actions is None:
            return FoundLead(contact, workspace)
        skip, limit = actions
        page = await self._actions.page(workspace_id, contact.contact_id, ActionFilter(), skip=skip, limit=limit)
        return FoundLead(contact, workspace, page.actions)

    async def find(self, workspace_id: WorkspaceId, lead_id: str) -> Contact:
        """Raises LeadNotFoundError."""
        found = await self._leads.get(workspace_id, ContactId(lead_id)) if is_id(lead_id) else None
        if not isinstance(found, Contact):
            raise LeadNotFoundError
        return found

    async def update(self, workspace_id: WorkspaceId, lead_id: str, body: Mapping[str, object]) -> FoundLead:
        """All or nothing. Raises LeadNotFoundError, and what `read_changes` raises."""
        workspace = await self._enterprise.get(workspace_id)
        contact = await self.find(workspace_id, lead_id)
        fields = given_fields(body)
        if fields is None:
            raise BadRequestError("fields must be an object")
        facts = await self._enterprise.look_up(workspace, asked_texts(workspace, fields))
        values = read_changes(fields, workspace, facts)

        def decide(known: Contact, workspace: Workspace) -> Details:
            return changed_details(known.details, values, workspace)

        changed = await self._leads.change(workspace_id, contact.contact_id, decide)
        if not isinstance(changed, Changed):
            raise LeadNotFoundError
        await self._enterprise.learn(workspace_id, new_labels(values, workspace))
        return FoundLead(changed.contact, workspace)

    async def search(self, workspace_id: WorkspaceId, body: Mapping[str, object], paging: Paging) -> FoundLeads:
        """Newest first. Raises BadRequestError."""
        workspace = await self._enterprise.get(workspace_id)
        asked = replace(asked_texts(workspace, searched_texts(body)), emails=())
        facts = await self._enterprise.look_up(workspace, asked)
        query = read_lead_search(body, workspace, facts, paging)
        return FoundLeads(await self._search.search(workspace_id, query), workspace)


def given_actions(body: Mapping[str, object]) -> list[object]:
    """The actions of a body; none when it has none. Raises BadRequestError."""
    actions = body.get("actions", [])
    if not isinstance(actions, list):
        raise BadRequestError("actions must be an array")
    if len(actions) > MOST_ACTIONS:
        raise BadRequestError(f"A request may have at most {MOST_ACTIONS} actions")
    return actions


def noting(judged: Judged, ids: Sequence[ActionId | None]) -> Callable[[Contact], Sequence[Action]]:
    """The kept actions of a lead, at the moment at which it was last written."""

    def note(contact: Contact) -> Sequence[Action]:
        kept = zip(judged.drafts, ids, strict=True)
        return [
            draft.action(action_id, contact.contact_id, now=contact.changed_at)
            for draft, action_id in kept
            if draft is not None and action_id is not None
        ]

    return note


def _created(made: Created | Exists | NoWorkspace, workspace_id: WorkspaceId) -> Contact:
    match made:
        case Created(contact):
            return contact
        case Exists():
            raise LeadExistsError
        case NoWorkspace():
            raise EnterpriseNotFoundError(workspace_id)
