"""Entrances of access: the typed service, and the authenticator of its own door."""

from services.access.server.authenticator import local_authenticator
from services.access.server.service import AccessServicer

__all__ = ["AccessServicer", "local_authenticator"]
