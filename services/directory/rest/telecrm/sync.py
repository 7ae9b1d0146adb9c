from collections.abc import Awaitable
from typing import Any, TypeAlias

import grpc
from contactsync.directory.v1 import sync_api_pb2 as pb
from contactsync.directory.v1 import sync_api_pb2_grpc
from google.api.httpbody_pb2 import HttpBody

from libs.rpc import answer, current_workspace
from services.directory.domain.contact import WorkspaceId
from services.directory.domain.telecrm.paging import read_choice, read_paging
from services.directory.handler.telecrm import Enterprise, Team, TelecrmActions, TelecrmLeads
from services.directory.rest.telecrm import answers, metadata
from services.directory.rest.telecrm.bodies import read_object

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Awaitable[HttpBody]]"

MOST_LEADS = MOST_ACTIONS = 100
MOST_MEMBERS = 10


def _workspace() -> WorkspaceId:
    """That of the token, which the door has held against the path."""
    return WorkspaceId(current_workspace().workspace_id)


class SyncApi(sync_api_pb2_grpc.SyncApiServicer):
    """The Sync API of telecrm-sync-api.txt."""

    def __init__(self, *, leads: TelecrmLeads, actions: TelecrmActions, team: Team, enterprise: Enterprise) -> None:
        self._leads = leads
        self._actions = actions
        self._team = team
        self._enterprise = enterprise

    async def CreateLead(self, request: pb.CreateLeadRequest, context: Context) -> HttpBody:
        made = await self._leads.create(_workspace(), read_object(request.body.data))
        return await answer(context, status=201, body=answers.outcome(made))

    async def SearchLeads(self, request: pb.SearchLeadsRequest, context: Context) -> HttpBody:
        paging = read_paging(request.skip, request.limit, most=MOST_LEADS)
        found = await self._leads.search(_workspace(), read_object(request.body.data, may_be_empty=True), paging)
        return await answer(context, body=answers.leads(found, paging))

    async def GetLead(self, request: pb.GetLeadRequest, context: Context) -> HttpBody:
        with_actions = read_choice(request.include_actions, "includeActions")
        paging = read_paging(request.skip, request.limit, most=MOST_ACTIONS) if with_actions else None
        found = await self._leads.get(_workspace(), request.lead_id, paging)
        return await answer(context, body=answers.lead(found, paging))

    async def UpdateLead(self, request: pb.UpdateLeadRequest, context: Context) -> HttpBody:
        found = await self._leads.update(_workspace(), request.lead_id, read_object(request.body.data))
        return await answer(context, body=answers.lead(found, None))

    async def CreateActions(self, request: pb.CreateActionsRequest, context: Context) -> HttpBody:
        made = await self._actions.add(_workspace(), request.lead_id, read_object(request.body.data))
        return await answer(context, body=answers.outcome(made))

    async def SearchActions(self, request: pb.SearchActionsRequest, context: Context) -> HttpBody:
        paging = read_paging(request.skip, request.limit, most=MOST_ACTIONS)
        body = read_object(request.body.data, may_be_empty=True)
        found = await self._actions.search(_workspace(), request.lead_id, body, paging)
        return await answer(context, body=answers.actions(found, paging))

    async def GetAction(self, request: pb.GetActionRequest, context: Context) -> HttpBody:
        found = await self._actions.get(_workspace(), request.lead_id, request.action_id)
        return await answer(context, body=answers.action(found))

    async def UpdateAction(self, request: pb.UpdateActionRequest, context: Context) -> HttpBody:
        body = read_object(request.body.data)
        found = await self._actions.update(_workspace(), request.lead_id, request.action_id, body)
        return await answer(context, body=answers.action(found))

    async def ListTeamMembers(self, request: pb.ListTeamMembersRequest, context: Context) -> HttpBody:
        paging = read_paging(request.skip, request.limit, most=MOST_MEMBERS)
        deleted = read_choice(request.include_deleted, "includeDeleted")
        found = await self._team.list(_workspace(), paging, deleted=deleted)
        return await answer(context, body=answers.members(found, paging))

    async def CreateTeamMember(self, request: pb.CreateTeamMemberRequest, context: Context) -> HttpBody:
        added = await self._team.add(_workspace(), read_object(request.body.data))
        return await answer(context, status=201, body=answers.added_member(added))

    async def GetTeamMember(self, request: pb.GetTeamMemberRequest, context: Context) -> HttpBody:
        deleted = read_choice(request.include_deleted, "includeDeleted")
        found = await self._team.get(_workspace(), request.email, deleted=deleted)
        return await answer(context, body=answers.member(found))

    async def ChangeMemberState(self, request: pb.ChangeMemberStateRequest, context: Context) -> HttpBody:
        changed = await self._team.change_state(_workspace(), read_object(request.body.data))
        return await answer(context, body=answers.member_state(changed))

    async def GetMetadata(self, request: pb.GetMetadataRequest, context: Context) -> HttpBody:
        return await answer(context, body=metadata.enterprise(await self._enterprise.get(_workspace())))

    async def ListCustomFields(self, request: pb.ListCustomFieldsRequest, context: Context) -> HttpBody:
        detail = read_choice(request.detail, "detail")
        workspace = await self._enterprise.get(_workspace())
        return await answer(context, body=metadata.custom_fields(workspace, detail=detail))

    async def GetCustomField(self, request: pb.GetCustomFieldRequest, context: Context) -> HttpBody:
        field = await self._enterprise.field(_workspace(), request.api_name)
        workspace = await self._enterprise.get(_workspace())
        return await answer(context, body=metadata.custom_field(field, workspace))

    async def ListCustomActions(self, request: pb.ListCustomActionsRequest, context: Context) -> HttpBody:
        detail = read_choice(request.detail, "detail")
        workspace = await self._enterprise.get(_workspace())
        return await answer(context, body=metadata.custom_actions(workspace, detail=detail))

    async def GetCustomAction(self, request: pb.GetCustomActionRequest, context: Context) -> HttpBody:
        found = await self._enterprise.action(_workspace(), request.code)
        return await answer(context, body=metadata.custom_action(found))

    async def GetLeadStagePipeline(self, request: pb.GetLeadStagePipelineRequest, context: Context) -> HttpBody:
        return await answer(context, body=metadata.pipeline(await self._enterprise.get(_workspace())))
