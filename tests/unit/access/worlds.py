"""A hub's access service in memory, with a clock that stands still until it is moved."""

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from libs.sealing import PepperedHash
from services.access.domain.client import Client, ClientId, Key
from services.access.domain.client_settings import ClientSettings
from services.access.domain.key import KeyId
from services.access.handler import Access
from services.access.ports import Randomness
from services.access.store.memory import MemoryStore
from services.access.vault import AesGcmCipher

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
KEY_IDS = [KeyId(f"key{letter * 9}") for letter in "abcdefghijklmnop"]


@dataclass
class StoppedClock:
    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment


@dataclass
class CountedBytes:
    """Bytes that differ at each draw and are the same in each test."""

    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def draw(self, count: int) -> bytes:
        return next(self.numbers).to_bytes(8, "big").rjust(count, b"\x07")[::-1]


class SameBytes:
    """Bytes that are the same at each draw."""

    def draw(self, count: int) -> bytes:
        return b"\x01" * count


@dataclass
class World:
    clock: StoppedClock = field(default_factory=StoppedClock)
    store: MemoryStore = field(default_factory=MemoryStore)
    randomness: Randomness = field(default_factory=CountedBytes)

    def access(self) -> Access:
        cipher = AesGcmCipher(b"m" * 32, randomness=self.randomness)
        return Access(
            self.store, key_hash=PepperedHash(b"p" * 32), cipher=cipher, clock=self.clock, randomness=self.randomness
        )


def a_key(key_id: KeyId = KEY_IDS[0], *, created_at: datetime = NOW, expires_at: datetime | None = None) -> Key:
    return Key(key_id=key_id, digest=key_id.encode(), sealed_secret=None, created_at=created_at, expires_at=expires_at)


def a_client(
    *keys: Key, client_id: str = "client-a", name: str = "A", settings: ClientSettings | None = None
) -> Client:
    return Client(
        client_id=ClientId(client_id),
        name=name,
        settings=settings or ClientSettings(),
        enabled=True,
        created_at=NOW,
        keys=keys or (a_key(),),
    )
