"""The caller of the call that is being served, as the domain knows it."""

from dataclasses import replace
from typing import assert_never

from contactsync.ingestion.v1 import ingestion_service_pb2 as pb

from libs.rpc import (
    Caller,
    ClientCaller,
    Duplicates,
    Scope,
    ServiceCaller,
    WorkspaceCaller,
    call_context,
    current_caller,
)
from services.ingestion.domain import client as domain
from services.ingestion.domain.errors import Invalid, Refused, Violation
from services.ingestion.domain.ids import ClientId, DestinationId

_DUPLICATES = {
    Duplicates.KEEP_ALL: domain.Duplicates.KEEP_ALL,
    Duplicates.KEEP_LAST: domain.Duplicates.KEEP_LAST,
}


def calling_client() -> domain.Client:
    """Who imports. A service imports under its own name, with the settings of a client that has none."""
    caller = current_caller()
    match caller:
        case ClientCaller():
            return _client(caller)
        case ServiceCaller():
            return domain.Client(client_id=ClientId(caller.service))
        case WorkspaceCaller():
            raise _not_here()
        case _:
            assert_never(caller)


def importing_client(request: pb.ImportContactsRequest) -> domain.Client:
    """Who imports, for a poller the source it polls. Raises Invalid for an API client that names an origin."""
    client = calling_client()
    if not request.HasField("origin"):
        return client
    if isinstance(current_caller(), ClientCaller):
        message = "Only a source's poller says where contacts come from; a client's settings say it for the client"
        raise Invalid(violations=[Violation("/origin", "not_allowed", message)])
    return _source(request.origin)


def _source(origin: pb.Origin) -> domain.Client:
    """Its name is no client's: a client's id holds no dot."""
    client = domain.Client(
        client_id=ClientId(f"source.{origin.source_id}"),
        workspace_id=origin.workspace_id,
        source_id=origin.source_id,
    )
    return replace(
        client,
        default_region=origin.default_region or client.default_region,
        destination_ids=tuple(map(DestinationId, origin.destination_ids)) or client.destination_ids,
    )


def _client(caller: ClientCaller) -> domain.Client:
    return domain.Client(
        client_id=ClientId(caller.client_id),
        default_region=caller.default_region,
        destination_ids=tuple(DestinationId(destination) for destination in caller.destination_ids),
        duplicates=_DUPLICATES[caller.duplicates],
        workspace_id=caller.workspace_id,
    )


def viewer() -> ClientId | None:
    """Whose jobs the caller may see; None: everyone's."""
    caller: Caller = current_caller()
    if isinstance(caller, ClientCaller):
        return None if Scope.ADMIN in caller.scopes else ClientId(caller.client_id)
    if isinstance(caller, WorkspaceCaller):
        raise _not_here()
    return ClientId(caller.service)


def _not_here() -> Refused:
    """No rule of ingestion lets a workspace's credential in: the door was passed by mistake."""
    return Refused(reason="FORBIDDEN", message="A workspace's credential opens nothing here")


def origin() -> domain.Origin:
    """The request that is being served."""
    context = call_context()
    return domain.Origin(context.correlation_id, context.traceparent)
