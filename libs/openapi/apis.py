"""The published APIs: each has a document, an envelope and credentials of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contactsync.policy.v1 import policy_pb2

_ABOUT = Path(__file__).parent / "about"
_OPENAPI = "contactsync.openapi.v1."


@dataclass(frozen=True, slots=True)
class Api:
    """The routes of all services that write their errors in one envelope."""

    name: str
    """The stem of its file: `/openapi/{name}.yaml`."""
    title: str
    envelope: int
    """Of `contactsync.policy.v1.Envelope`."""
    error: str
    """Full name of the message that its errors look like."""

    @property
    def about(self) -> str:
        """What a reader should know first."""
        return (_ABOUT / f"{self.name}.md").read_text()


IMPORT = Api("import", "Contact import API", policy_pb2.ENVELOPE_IMPORT, f"{_OPENAPI}ErrorDocument")
APIS = (
    IMPORT,
    Api("sync", "telecrm Sync and Async API", policy_pb2.ENVELOPE_TELECRM, f"{_OPENAPI}TelecrmErrorDocument"),
    Api("connect", "Connect contacts API", policy_pb2.ENVELOPE_CONNECT, f"{_OPENAPI}SentenceErrorDocument"),
    Api(
        "contact-source",
        "Custom contact source",
        policy_pb2.ENVELOPE_CONTACT_SOURCE,
        f"{_OPENAPI}SentenceErrorDocument",
    ),
)

SCHEMES: Mapping[int, tuple[str, dict[str, Any]]] = {
    policy_pb2.CREDENTIAL_UNSPECIFIED: (
        "bearer",
        {
            "type": "http",
            "scheme": "bearer",
            "description": "The key of an API client. It goes into this header and nowhere else.",
        },
    ),
    policy_pb2.CREDENTIAL_TELECRM_SYNC: (
        "syncToken",
        {"type": "http", "scheme": "bearer", "description": "A Sync token of the workspace that the path names."},
    ),
    policy_pb2.CREDENTIAL_TELECRM_ASYNC: (
        "asyncToken",
        {"type": "http", "scheme": "bearer", "description": "An Async token of the workspace that the path names."},
    ),
    policy_pb2.CREDENTIAL_CONNECT_KEY: (
        "key",
        {"type": "apiKey", "in": "header", "name": "X-Api-Key", "description": "A key of the workspace."},
    ),
    policy_pb2.CREDENTIAL_SOURCE_BASIC: (
        "client",
        {"type": "http", "scheme": "basic", "description": "The source's client id and secret."},
    ),
    policy_pb2.CREDENTIAL_SOURCE_TOKEN: (
        "token",
        {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A token that the source gave."},
    ),
}
"""The name and the security scheme of each credential, by its number; under 0 that of API clients."""
