"""The first two clients of a new hub and their keys, as an operator finds them in the credentials file."""

from dataclasses import dataclass

from services.access.domain.client import ClientId
from services.access.domain.client_settings import ClientSettings, Scope
from services.access.domain.key import ApiKey

ADMIN_ID = ClientId("admin")
FIRST_CLIENT_ID = ClientId("default")

ADMIN_SETTINGS = ClientSettings(scopes=(Scope.IMPORT, Scope.READ, Scope.ADMIN), rate=100.0)
"""Ten times the default rate: an operator's command polls."""
FIRST_CLIENT_SETTINGS = ClientSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The keys of the clients `ADMIN_ID` and `FIRST_CLIENT_ID`."""

    admin: ApiKey
    client: ApiKey
