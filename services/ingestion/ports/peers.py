"""What ingestion asks of other services. Every method raises Unavailable when the service does not answer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.ingestion.domain.ids import ClientId, JobId
from services.ingestion.domain.rows import Normalized, Texts


@dataclass(frozen=True, slots=True)
class Key:
    """An idempotency key; its scope is the client."""

    client_id: ClientId
    key: str


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """SHA-256 of the body as received, and of its canonical form: equal for the same request."""

    body: bytes
    canonical: bytes


@dataclass(frozen=True, slots=True)
class Started:
    """The caller holds the key's lease and completes or releases it; the job id is fixed for ever."""

    job_id: JobId
    fence: int


@dataclass(frozen=True, slots=True)
class Replay:
    """The stored answer."""

    status: int
    body: bytes
    job_id: JobId


@dataclass(frozen=True, slots=True)
class Conflict:
    """The key was used with another payload."""

    existing_created_at: datetime


@dataclass(frozen=True, slots=True)
class InProgress:
    """Another caller holds the lease until then at the latest."""

    lease_until: datetime


Begun = Started | Replay | Conflict | InProgress


class Keys(Protocol):
    """Idempotency keys: one holder at a time."""

    async def begin(self, key: Key, fingerprint: Fingerprint) -> Begun:
        """Takes the key's lease, or says why not."""
        ...

    async def complete(self, key: Key, held: Started, *, status: int, body: bytes) -> None:
        """Stores the answer; the first stored one stays."""
        ...

    async def release(self, key: Key, held: Started) -> None:
        """Frees the key, so that nothing is stored for the request; a lease that is held no more is left alone."""
        ...


class Normalizer(Protocol):
    """Makes phones E.164 and checks e-mails."""

    async def normalize(self, texts: Texts, *, default_region: str) -> Normalized:
        """What each text came to."""
        ...
