"""Bodies of the answers about a workspace."""

import re
from collections.abc import Iterable
from typing import Any

from services.directory.domain.fields import CustomField, FieldType
from services.directory.domain.telecrm.moments import to_millis
from services.directory.domain.workspace import ActionField, CustomAction, LostReason, Stage, Status, Workspace
from services.directory.rest.telecrm.answers import encode

_WITH_OPTIONS = frozenset({FieldType.DROPDOWN, FieldType.TAGS})
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


def enterprise(workspace: Workspace) -> bytes:
    """The workspace itself."""
    return encode(
        {
            "name": workspace.name,
            "id": workspace.workspace_id,
            "creationTimeStamp": to_millis(workspace.created_at),
            "teamSize": workspace.team_size,
            "industry": workspace.industry,
            "website": workspace.website,
            "leadIdentifierFieldId": workspace.identifier_field.field_id,
            "integrations": [],
        }
    )


def custom_fields(workspace: Workspace, *, detail: bool) -> bytes:
    """All fields of leads."""
    return encode({"customFields": [_field(each, workspace, detail=detail) for each in workspace.fields]})


def custom_field(field: CustomField, workspace: Workspace) -> bytes:
    """One field with everything about it."""
    return encode(_field(field, workspace, detail=True))


def _field(field: CustomField, workspace: Workspace, *, detail: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "type": _type(field.type),
        "apiName": field.api_name,
        "lockAfterCreate": field.lock_after_create,
        "isLeadid": field.api_name == workspace.identifier,
        "options": [
            {"id": option.option_id, "label": option.label} if detail else option.label for option in field.options
        ],
    }
    return {"id": field.field_id, "description": field.description, **shown} if detail else shown


def _type(kind: FieldType) -> str:
    """In capitals: ACTIVE_USERS."""
    return _WORD.sub("_", kind.value).upper()


def custom_actions(workspace: Workspace, *, detail: bool) -> bytes:
    """All custom actions."""
    shown = [_action(each) if detail else _summary(each) for each in workspace.actions]
    return encode({"customActions": shown})


def custom_action(action: CustomAction) -> bytes:
    """One custom action with everything about it, its icon too."""
    return encode(_action(action) | {"icon": action.icon})


def _summary(action: CustomAction) -> dict[str, Any]:
    return {"code": action.code, "displayName": action.display_name, "score": action.score, "source": "USER"}


def _action(action: CustomAction) -> dict[str, Any]:
    return _summary(action) | {
        "id": action.action_id,
        "description": action.description,
        "fieldSchema": {each.api_name: _schema(each) for each in action.fields},
        "displaySchema": {},
        "allowPredatedActivity": {"enabled": True},
        "quickAdd": {},
        "definitionType": "USER_DEFINED",
        "createdOn": to_millis(action.created_at),
        "createdBy": action.created_by,
        "modifiedOn": to_millis(action.modified_at),
        "modifiedBy": action.modified_by,
    }


def _schema(field: ActionField) -> dict[str, Any]:
    options = {"options": list(field.options)} if field.type in _WITH_OPTIONS else {}
    return {"type": _type(field.type)} | options


def pipeline(workspace: Workspace) -> bytes:
    """The stages of a lead; statuses and reasons are numbered in their order, active ones first."""
    found = workspace.pipeline
    numbers = _numbers(status.status_id for stage in found.stages for status in (*stage.active, *stage.archived))
    reasons = _numbers(reason.reason_id for reason in (*found.lost_reasons, *found.archived_lost_reasons))
    return encode(
        {
            "leadStages": [_stage(stage, numbers) for stage in found.stages],
            "activeLeadLostReasons": [_reason(each, reasons) for each in found.lost_reasons],
            "archivedLeadLostReasons": [_reason(each, reasons) for each in found.archived_lost_reasons],
            "creationTimestamp": to_millis(found.created_at),
            "modificationTimestamp": to_millis(found.modified_at),
            "lastModifiedBy": found.modified_by,
            "version": found.version,
        }
    )


def _numbers(ids: Iterable[str]) -> dict[str, int]:
    return {each: number for number, each in enumerate(ids, 1)}


def _stage(stage: Stage, numbers: dict[str, int]) -> dict[str, Any]:
    return {
        "stageid": stage.stage_id,
        "stageType": stage.type.value,
        "visibility": stage.visible,
        "activeStatuses": [_status(each, numbers) for each in stage.active],
        "archivedStatuses": [_status(each, numbers) for each in stage.archived],
    }


def _status(status: Status, numbers: dict[str, int]) -> dict[str, Any]:
    return {"statusid": numbers[status.status_id], "label": status.label, "color": status.color}


def _reason(reason: LostReason, numbers: dict[str, int]) -> dict[str, Any]:
    return {"reasonid": numbers[reason.reason_id], "reasonLabel": reason.label, "isDefault": reason.default}
