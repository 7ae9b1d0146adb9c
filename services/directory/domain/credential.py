"""What opens a workspace's published APIs, and its text: ``<kind><id>_<secret><checksum>``.

The id is public and finds the credential; the secret is shown once and never stored.
"""

import base64
import re
import zlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Final, NewType

from services.directory.domain.contact import WorkspaceId

CredentialId = NewType("CredentialId", str)

RANDOM_BYTES: Final = 40
"""What `make_credential` wants: 8 bytes for the id, 32 for the secret."""
MOST_TOKENS: Final = 3
"""Telecrm tokens of each type in a workspace."""
NO_ID: Final = CredentialId("-" * 12)
"""Looked up in place of a malformed one's id, so that it costs what an unknown one costs."""


class CredentialKind(Enum):
    """What a credential opens; the values are how its text begins."""

    SYNC = "tcs_"
    ASYNC = "tca_"
    CONNECT = "cck_"
    SOURCE = "ccs_"


_SHAPE = re.compile(r"((?:tcs|tca|cck|ccs)_([a-z2-7]{12})_[A-Za-z0-9_-]{43})([0-9a-f]{8})", re.ASCII)
_ID = re.compile(r"[a-z2-7]{12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Secret:
    """A new credential's text; shown once."""

    credential_id: CredentialId
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SourceToken:
    """A token of a contact source: whose it is, and which of all."""

    credential_id: CredentialId
    token_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What is kept of one: the digest of its text, never the text. `user_email` is whose it is, of a connect key."""

    credential_id: CredentialId
    kind: CredentialKind
    workspace_id: WorkspaceId
    digest: bytes = field(repr=False)
    user_email: str = field(default="", repr=False)
    created_at: datetime


def make_credential(kind: CredentialKind, random: bytes) -> Secret:
    """Writes one from exactly RANDOM_BYTES unpredictable bytes; ValueError for any other number."""
    if len(random) != RANDOM_BYTES:
        raise ValueError(len(random))
    credential_id = base64.b32encode(random[:8]).decode().lower()[:12]
    secret = base64.urlsafe_b64encode(random[8:]).decode().rstrip("=")
    body = f"{kind.value}{credential_id}_{secret}"
    return Secret(CredentialId(credential_id), body + _checksum(body))


def credential_id_of(text: str) -> CredentialId:
    """The id that a whole text names; NO_ID when it is none."""
    match = _SHAPE.fullmatch(text)
    return CredentialId(match[2]) if match is not None and _checksum(match[1]) == match[3] else NO_ID


def parse_credential_id(text: str) -> CredentialId:
    """The text as an id; NO_ID when no credential can have it."""
    return CredentialId(text) if _ID.fullmatch(text) else NO_ID


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
