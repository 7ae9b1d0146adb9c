"""Workspaces on typed gRPC, one log line per change."""

from collections.abc import Awaitable
from typing import Any, Final, TypeVar, assert_never

import grpc
import structlog
from contactsync.directory.v1 import workspace_pb2, workspace_service_pb2_grpc
from contactsync.directory.v1 import workspace_service_pb2 as pb
from google.protobuf import json_format
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct

from libs.rpc import Refusal, Violation, current_client
from services.directory.domain.contact import WorkspaceId
from services.directory.domain.credential import CredentialKind, Secret
from services.directory.domain.errors import (
    CredentialNotFoundError,
    NoSeatError,
    TooManyTokensError,
    UserExistsError,
    UserNotFoundError,
    WorkspaceNotFoundError,
)
from services.directory.domain.member import Joined, NotJoined, Role
from services.directory.domain.shape import BadShape
from services.directory.handler.credentials import Credentials, NotMade
from services.directory.handler.workspaces import Workspaces
from services.directory.server.workspace_mapping import write_credential, write_user, write_workspace

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)
Context = grpc.aio.ServicerContext[Request, Awaitable[Response]]

SOURCE_PATH: Final = "/contact-source"
_TOKENS: Final = {
    workspace_pb2.CREDENTIAL_TYPE_SYNC: CredentialKind.SYNC,
    workspace_pb2.CREDENTIAL_TYPE_ASYNC: CredentialKind.ASYNC,
}
_log = structlog.get_logger()


class WorkspaceServicer(workspace_service_pb2_grpc.WorkspaceServiceServicer):
    """contactsync.directory.v1.WorkspaceService over the handlers. Callers and requests were checked at the door."""

    def __init__(self, workspaces: Workspaces, credentials: Credentials) -> None:
        self._workspaces = workspaces
        self._credentials = credentials

    async def CreateWorkspace(
        self,
        request: pb.CreateWorkspaceRequest,
        context: Context[pb.CreateWorkspaceRequest, pb.CreateWorkspaceResponse],
    ) -> pb.CreateWorkspaceResponse:
        if not request.name.strip():
            raise _refused(Violation("/name", "invalid", "It must not be blank."))
        try:
            workspace = await self._workspaces.create(name=request.name, spec=_read_spec(request.spec))
        except BadShape as error:
            violations = [Violation(f"/spec{each.pointer}", "invalid", each.message) for each in error.problems]
            raise _refused(*violations) from None
        _told("workspace_created", workspace.workspace_id)
        return pb.CreateWorkspaceResponse(workspace=write_workspace(workspace))

    async def ListWorkspaces(
        self, request: pb.ListWorkspacesRequest, context: Context[pb.ListWorkspacesRequest, pb.ListWorkspacesResponse]
    ) -> pb.ListWorkspacesResponse:
        return pb.ListWorkspacesResponse(workspaces=map(write_workspace, await self._workspaces.list()))

    async def GetWorkspace(
        self, request: pb.GetWorkspaceRequest, context: Context[pb.GetWorkspaceRequest, pb.GetWorkspaceResponse]
    ) -> pb.GetWorkspaceResponse:
        workspace_id = WorkspaceId(request.workspace_id)
        workspace = await self._workspaces.get(workspace_id)
        team = await self._workspaces.members(workspace_id)
        return pb.GetWorkspaceResponse(
            workspace=write_workspace(workspace),
            users=map(write_user, team.members),
            credentials=map(write_credential, await self._credentials.of_workspace(workspace_id)),
        )

    async def RenameWorkspace(
        self,
        request: pb.RenameWorkspaceRequest,
        context: Context[pb.RenameWorkspaceRequest, pb.RenameWorkspaceResponse],
    ) -> pb.RenameWorkspaceResponse:
        if not request.name.strip():
            raise _refused(Violation("/name", "invalid", "It must not be blank."))
        workspace = await self._workspaces.rename(WorkspaceId(request.workspace_id), request.name)
        _told("workspace_renamed", workspace.workspace_id)
        return pb.RenameWorkspaceResponse(workspace=write_workspace(workspace))

    async def CreateToken(
        self, request: pb.CreateTokenRequest, context: Context[pb.CreateTokenRequest, pb.CreateTokenResponse]
    ) -> pb.CreateTokenResponse:
        secret = await self._make(request.workspace_id, _TOKENS[request.type])
        return pb.CreateTokenResponse(id=secret.credential_id, token=secret.text)

    async def CreateConnectKey(
        self,
        request: pb.CreateConnectKeyRequest,
        context: Context[pb.CreateConnectKeyRequest, pb.CreateConnectKeyResponse],
    ) -> pb.CreateConnectKeyResponse:
        if request.user:
            await self._let_in(WorkspaceId(request.workspace_id), request.user)
        secret = await self._make(request.workspace_id, CredentialKind.CONNECT, user=request.user.strip())
        return pb.CreateConnectKeyResponse(id=secret.credential_id, api_key=secret.text)

    async def CreateSourceAccess(
        self,
        request: pb.CreateSourceAccessRequest,
        context: Context[pb.CreateSourceAccessRequest, pb.CreateSourceAccessResponse],
    ) -> pb.CreateSourceAccessResponse:
        secret = await self._make(request.workspace_id, CredentialKind.SOURCE)
        return pb.CreateSourceAccessResponse(
            client_id=secret.credential_id, client_secret=secret.text, path=SOURCE_PATH
        )

    async def DeleteCredential(
        self,
        request: pb.DeleteCredentialRequest,
        context: Context[pb.DeleteCredentialRequest, pb.DeleteCredentialResponse],
    ) -> pb.DeleteCredentialResponse:
        workspace = await self._workspaces.get(WorkspaceId(request.workspace_id))
        if not await self._credentials.delete(workspace.workspace_id, request.credential_id):
            raise CredentialNotFoundError
        _told("credential_deleted", workspace.workspace_id, credential_id=request.credential_id)
        return pb.DeleteCredentialResponse()

    async def AddUser(
        self, request: pb.AddUserRequest, context: Context[pb.AddUserRequest, pb.AddUserResponse]
    ) -> pb.AddUserResponse:
        role = Role(request.role) if request.role else Role.CALLER
        joined = await self._workspaces.add_user(
            WorkspaceId(request.workspace_id), email=request.email, name=request.name, role=role
        )
        if not isinstance(joined, Joined):
            raise _not_joined(joined, request.workspace_id)
        _told("user_added", WorkspaceId(request.workspace_id), member_id=joined.member.member_id)
        return pb.AddUserResponse(user=write_user(joined.member))

    async def RemoveUser(
        self, request: pb.RemoveUserRequest, context: Context[pb.RemoveUserRequest, pb.RemoveUserResponse]
    ) -> pb.RemoveUserResponse:
        workspace = await self._workspaces.get(WorkspaceId(request.workspace_id))
        if not await self._workspaces.remove_user(workspace.workspace_id, request.email):
            raise UserNotFoundError
        _told("user_removed", workspace.workspace_id)
        return pb.RemoveUserResponse()

    async def _make(self, workspace_id: str, kind: CredentialKind, *, user: str = "") -> Secret:
        made = await self._credentials.create(WorkspaceId(workspace_id), kind, user_email=user)
        match made:
            case Secret():
                _told("credential_created", WorkspaceId(workspace_id), credential_id=made.credential_id, kind=kind.name)
                return made
            case NotMade.NO_WORKSPACE:
                raise WorkspaceNotFoundError(WorkspaceId(workspace_id))
            case NotMade.TOO_MANY:
                raise TooManyTokensError
            case _:
                assert_never(made)

    async def _let_in(self, workspace_id: WorkspaceId, email: str) -> None:
        """Someone who is in the workspace stays who they are."""
        if email.strip().count("@") != 1:
            raise _refused(Violation("/user", "invalid", "It is no e-mail address."))
        joined = await self._workspaces.add_user(workspace_id, email=email.strip(), name="", seat=False)
        if isinstance(joined, NotJoined) and joined is not NotJoined.EXISTS:
            raise _not_joined(joined, workspace_id)


def _not_joined(why: NotJoined, workspace_id: str) -> Exception:
    match why:
        case NotJoined.EXISTS:
            return UserExistsError()
        case NotJoined.NO_SEAT:
            return NoSeatError()
        case NotJoined.NO_WORKSPACE:
            return WorkspaceNotFoundError(WorkspaceId(workspace_id))
        case _:
            assert_never(why)


def _read_spec(spec: Struct) -> dict[str, Any]:
    """JSON has one kind of numbers, and whole ones are meant as such."""
    whole: dict[str, Any] = _whole(json_format.MessageToDict(spec))
    return whole


def _whole(value: Any) -> Any:
    match value:
        case dict():
            return {key: _whole(each) for key, each in value.items()}
        case list():
            return [_whole(each) for each in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value


def _refused(*violations: Violation) -> Refusal:
    return Refusal("VALIDATION_ERROR", "The request is not valid.", violations=list(violations))


def _told(event: str, workspace_id: WorkspaceId, **facts: str) -> None:
    _log.info(event, by=current_client().client_id, workspace_id=workspace_id, **facts)
