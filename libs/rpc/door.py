"""The door: who may come in, by the rules that the contracts give. Default deny."""

from libs.rpc.caller import Authenticator
from libs.rpc.identity import Identity


class Door:
    """Lets callers in by the rule of the method. One per server; keeps rates and seen signatures in memory."""

    def __init__(self, *, identity: Identity, authenticate: Authenticator) -> None:
        """`identity` is the server's own; its key verifies other services. `authenticate` resolves API keys (see `remote_authenticator`)."""
