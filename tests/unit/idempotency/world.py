"""A world of idempotency with a clock that tests move."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Protocol

from services.idempotency.domain import ClientId, JobId, Key, Request
from services.idempotency.handler import Idempotency, Limits
from services.idempotency.ports import Keys, Records

NOW = datetime(2026, 1, 15, 12, 0, 0, 123456, tzinfo=UTC)
LIMITS = Limits(lease=timedelta(seconds=10), lifetime=timedelta(hours=72))


class Store(Keys, Records, Protocol):
    """Everything that idempotency stores."""


@dataclass
class FixedClock:
    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment

    def move(self, by: timedelta) -> None:
        self.moment += by


class RandomJobIds:
    def draw(self) -> JobId:
        return JobId(str(uuid.uuid4()))


@dataclass
class World:
    store: Store
    clock: FixedClock = field(default_factory=FixedClock)

    def __post_init__(self) -> None:
        self.idempotency = Idempotency(self.store, self.store, clock=self.clock, job_ids=RandomJobIds(), limits=LIMITS)


def request(text: str = "key", *, body: str = "body", canonical: str | None = None, client: str = "client") -> Request:
    """Of a body; its canonical form is its own unless another is given."""
    canonical = body if canonical is None else canonical
    return Request(Key(ClientId(client), text), sha256(body.encode()).digest(), sha256(canonical.encode()).digest())
