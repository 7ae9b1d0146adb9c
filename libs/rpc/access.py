"""API keys resolved by the access service, kept for at most 5 s."""

from libs.rpc.caller import Authenticator
from libs.rpc.peer import Peer


def remote_authenticator(access: Peer) -> Authenticator:
    """Asks access in batches and keeps the answers for at most 5 s. Raises PeerUnavailable when access does not answer."""
    raise NotImplementedError


def cached_authenticator(authenticate: Authenticator) -> Authenticator:
    """The same, over any authenticator (access itself asks its own store)."""
    raise NotImplementedError
