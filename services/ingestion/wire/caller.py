"""The caller of the call that is being served, as the domain knows it."""

from typing import assert_never

from libs.rpc import Caller, ClientCaller, Duplicates, Scope, ServiceCaller, call_context, current_caller
from services.ingestion.domain import client as domain
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
        case _:
            assert_never(caller)


def _client(caller: ClientCaller) -> domain.Client:
    return domain.Client(
        client_id=ClientId(caller.client_id),
        default_region=caller.default_region,
        destination_ids=tuple(DestinationId(destination) for destination in caller.destination_ids),
        duplicates=_DUPLICATES[caller.duplicates],
    )


def viewer() -> ClientId | None:
    """Whose jobs the caller may see; None: everyone's."""
    caller: Caller = current_caller()
    if isinstance(caller, ClientCaller):
        return None if Scope.ADMIN in caller.scopes else ClientId(caller.client_id)
    return ClientId(caller.service)


def origin() -> domain.Origin:
    """The request that is being served."""
    context = call_context()
    return domain.Origin(context.correlation_id, context.traceparent)
