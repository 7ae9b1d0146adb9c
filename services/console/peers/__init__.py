"""The services of the hub, called with the operator's own key: they judge it as they judge everyone's."""

from services.console.peers.operator import AS_NOBODY, Operator, serving
from services.console.peers.services import SERVICE_NAMES, Services

__all__ = ["AS_NOBODY", "SERVICE_NAMES", "Operator", "Services", "serving"]
