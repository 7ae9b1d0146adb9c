"""Workspaces, members and actions as documents of their rows, and back."""

from datetime import datetime
from typing import Any

import msgspec

from libs.storage import Row, from_micros, to_micros
from services.directory.domain.action import Action, ActionId, Payment
from services.directory.domain.contact import ContactId, WorkspaceId
from services.directory.domain.defaults import first_workspace
from services.directory.domain.fields import CustomField, Fields
from services.directory.domain.member import Member
from services.directory.domain.search import fold
from services.directory.domain.workspace import CustomAction, LeadStatus, Pipeline, Workspace

_encode = msgspec.json.encode


class _Workspace(msgspec.Struct):
    workspace_id: str
    name: str
    country: str
    identifier: str
    fields: tuple[CustomField, ...]
    actions: tuple[CustomAction, ...]
    pipeline: Pipeline
    lead_statuses: tuple[LeadStatus, ...]
    seats: int
    created_at: datetime
    industry: str
    website: str
    team_size: str


_read_workspace = msgspec.json.Decoder(_Workspace).decode
_read_member = msgspec.json.Decoder(Member).decode


def workspace_text(workspace: Workspace) -> str:
    """Everything but the version."""
    document = _Workspace(
        workspace_id=workspace.workspace_id,
        name=workspace.name,
        country=workspace.country,
        identifier=workspace.identifier,
        fields=workspace.fields.all,
        actions=workspace.actions,
        pipeline=workspace.pipeline,
        lead_statuses=workspace.lead_statuses,
        seats=workspace.seats,
        created_at=workspace.created_at,
        industry=workspace.industry,
        website=workspace.website,
        team_size=workspace.team_size,
    )
    return _encode(document).decode()


def read_workspace(text: str, version: int) -> Workspace:
    """What `workspace_text` made; the first workspace of an empty text."""
    if not text:
        return first_workspace()
    document = _read_workspace(text)
    given: dict[str, Any] = {name: getattr(document, name) for name in document.__struct_fields__}
    given |= {
        "workspace_id": WorkspaceId(document.workspace_id), "fields": Fields(document.fields), "version": version
    }  # fmt: skip
    return Workspace(**given)


def member_row(member: Member) -> Row:
    """Workspace, e-mail's key, name's key, state, seat, document."""
    document = _encode(member).decode()
    key, name_key = fold(member.email.strip()), fold(member.name)
    return (member.workspace_id, key, name_key, member.state.value, int(member.seat), document)


def read_member(text: str) -> Member:
    """What `member_row` wrote of it."""
    return _read_member(text)


class _Noted(msgspec.Struct, omit_defaults=True):
    performed_by: str = ""
    fields: dict[str, Any] = {}
    payment: Payment | None = None


_read_noted = msgspec.json.Decoder(_Noted).decode

ACTION_COLUMNS = (
    "workspace_id",
    "contact_id",
    "action_id",
    "type",
    "performed_by",
    "performed_by_id",
    "created_at",
    "changed_at",
    "version",
    "document",
)
ACTION_READ = ("contact_id", "action_id", "type", "performed_by_id", "created_at", "changed_at", "version", "document")


def action_row(workspace_id: WorkspaceId, action: Action) -> Row:
    """In the order of ACTION_COLUMNS."""
    noted = _Noted(action.performed_by, dict(action.fields), action.payment)
    return (
        workspace_id,
        action.contact_id,
        action.action_id,
        action.type,
        fold(action.performed_by),
        action.performed_by_id,
        to_micros(action.created_at),
        to_micros(action.changed_at),
        action.version,
        _encode(noted).decode(),
    )


def read_action(row: tuple[Any, ...]) -> Action:
    """From ACTION_READ."""
    contact_id, action_id, kind, performed_by_id, created, changed, version, document = row
    noted = _read_noted(document)
    return Action(
        action_id=ActionId(action_id),
        contact_id=ContactId(contact_id),
        type=kind,
        performed_by=noted.performed_by,
        performed_by_id=performed_by_id,
        created_at=from_micros(created),
        changed_at=from_micros(changed),
        fields=noted.fields,
        payment=noted.payment,
        version=version,
    )
