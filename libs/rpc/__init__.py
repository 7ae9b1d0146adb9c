"""gRPC as every service of the hub speaks it: door, last door, correlation, tracing, batches, peers and server."""

from typing import TYPE_CHECKING, Any

from libs.rpc.access import cached_authenticator, remote_authenticator
from libs.rpc.apart import ask_apart
from libs.rpc.batch import Batch, BatchMismatch
from libs.rpc.call import answer, current_caller, current_client, current_headers, current_workspace
from libs.rpc.caller import (
    Authenticator,
    Caller,
    ClientCaller,
    ClientId,
    Credential,
    CredentialAuthenticator,
    Duplicates,
    Scope,
    ServiceCaller,
    WorkspaceCaller,
)
from libs.rpc.door import Door
from libs.rpc.failure import PeerRefused, PeerUnavailable
from libs.rpc.identity import Identity, Shown
from libs.rpc.peer import Peer
from libs.rpc.reason import REASONS
from libs.rpc.refusal import Refusal, Refusing, Violation
from libs.rpc.tls import Callee, Tls
from libs.rpc.tracing import call_context, is_sampled, request_context, serve_item, serve_together

if TYPE_CHECKING:
    from libs.rpc.server import Registration, RpcServer, RpcSettings

__all__ = [
    "REASONS",
    "Authenticator",
    "Batch",
    "BatchMismatch",
    "Callee",
    "Caller",
    "ClientCaller",
    "ClientId",
    "Credential",
    "CredentialAuthenticator",
    "Door",
    "Duplicates",
    "Identity",
    "Peer",
    "PeerRefused",
    "PeerUnavailable",
    "Refusal",
    "Refusing",
    "Registration",
    "RpcServer",
    "RpcSettings",
    "Scope",
    "ServiceCaller",
    "Shown",
    "Tls",
    "Violation",
    "WorkspaceCaller",
    "answer",
    "ask_apart",
    "cached_authenticator",
    "call_context",
    "current_caller",
    "current_client",
    "current_headers",
    "current_workspace",
    "is_sampled",
    "remote_authenticator",
    "request_context",
    "serve_item",
    "serve_together",
]


def __getattr__(name: str) -> Any:
    """What servers are made of is imported when it is asked for: who only calls is spared 5 MB."""
    if name in {"Registration", "RpcServer", "RpcSettings"}:
        from libs.rpc import server  # noqa: PLC0415 - see above

        return getattr(server, name)
    raise AttributeError(name)
