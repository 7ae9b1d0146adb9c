"""Workspaces as messages."""

from typing import Any, Final

from contactsync.directory.v1 import workspace_pb2
from google.protobuf.struct_pb2 import Struct

from libs.stamps import stamp_of
from services.directory.domain.credential import Credential, CredentialKind
from services.directory.domain.member import Member
from services.directory.domain.workspace import StageType, Workspace

_TYPES: Final = {
    CredentialKind.SYNC: workspace_pb2.CREDENTIAL_TYPE_SYNC,
    CredentialKind.ASYNC: workspace_pb2.CREDENTIAL_TYPE_ASYNC,
    CredentialKind.CONNECT: workspace_pb2.CREDENTIAL_TYPE_CONNECT,
    CredentialKind.SOURCE: workspace_pb2.CREDENTIAL_TYPE_SOURCE,
}


def write_workspace(workspace: Workspace) -> workspace_pb2.Workspace:
    """With its spec, from which another one like it can be made."""
    spec = Struct()
    spec.update(_spec_of(workspace))
    return workspace_pb2.Workspace(
        id=workspace.workspace_id,
        name=workspace.name,
        country=workspace.country,
        identifier=workspace.identifier,
        seats=workspace.seats,
        spec=spec,
        version=workspace.version,
        created_at=stamp_of(workspace.created_at),
    )


def write_user(member: Member) -> workspace_pb2.WorkspaceUser:
    """As operators see a user."""
    return workspace_pb2.WorkspaceUser(
        email=member.email, name=member.name, state=member.state.value, role=member.role.value
    )


def write_credential(credential: Credential) -> workspace_pb2.WorkspaceCredential:
    """Without its secret, which nobody has."""
    return workspace_pb2.WorkspaceCredential(
        id=credential.credential_id,
        type=_TYPES[credential.kind],
        user=credential.user_email,
        created_at=stamp_of(credential.created_at),
    )


def _spec_of(workspace: Workspace) -> dict[str, Any]:
    labels = {kind: [status.label for status in stage.active] for kind, stage in _stages(workspace).items()}
    return {
        "fields": [
            {"apiName": each.api_name, "type": each.type.value, "options": [option.label for option in each.options]}
            for each in workspace.fields
        ],
        "identifier": workspace.identifier,
        "country": workspace.country,
        "actions": [
            {
                "code": action.code,
                "displayName": action.display_name,
                "fields": [{"apiName": field.api_name, "type": field.type.value} for field in action.fields],
            }
            for action in workspace.actions
        ],
        "stages": {kind.value: texts for kind, texts in labels.items()},
        "archived_statuses": [each.label for stage in workspace.pipeline.stages for each in stage.archived],
        "lost_reasons": [reason.label for reason in workspace.pipeline.lost_reasons],
        "seats": workspace.seats,
        "lead_statuses": [
            {"type": each.type, "label": each.label, "color": each.color} for each in workspace.lead_statuses
        ],
    }


def _stages(workspace: Workspace) -> dict[StageType, Any]:
    return {stage.type: stage for stage in workspace.pipeline.stages}
