"""What the handler needs of the world."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.access.domain.client import Client, ClientId
from services.access.domain.credentials import Credentials
from services.access.domain.key import KeyId


@dataclass(frozen=True, slots=True)
class Changed:
    """A client before and after a change."""

    before: Client
    after: Client


class Clients(Protocol):
    """Reads clients, with all their keys, oldest first."""

    async def find(self, client_id: ClientId) -> Client | None:
        """Give the client; None when there is none."""

    async def list_all(self) -> list[Client]:
        """Give all clients by name, then id."""


class KeyHolders(Protocol):
    """Finds clients by the keys they hold."""

    async def find_holders(self, key_ids: Sequence[KeyId]) -> Mapping[KeyId, Client]:
        """Give the holder of each key, live or not, as last committed; unknown ids are left out. One read for all."""

    def note_use(self, key_ids: Sequence[KeyId], *, at: datetime) -> None:
        """Mark the keys as last used then, some time later and never backwards. A crash may lose the mark."""


class ClientChanges(Protocol):
    """Writes clients. What is written is on disk when the call returns."""

    async def add(self, client: Client) -> None:
        """Add a client. Its id and the ids of its keys are unused, or the call fails."""

    async def add_first(self, clients: Sequence[Client]) -> bool:
        """Add the clients, all or none, when there is no client at all; False when there is one."""

    async def change(self, client_id: ClientId, decide: Callable[[Client], Client]) -> Changed | None:
        """Put what `decide` makes of the client in its place, one change at a time; None when there is no client.

        `decide` may be asked again after a conflict between writers, in another thread. If it raises, nothing changes.
        """


class Store(Clients, KeyHolders, ClientChanges, Protocol):
    """All of the above over one set of clients."""


class KeyProofs(Protocol):
    """Remembers which keys of the operator the stored data was made with."""

    async def remember(self, purpose: str, fingerprint: bytes) -> bytes:
        """Give the fingerprint first remembered for the purpose; it is this one when there was none."""


class KeyHash(Protocol):
    """Turns an API key into what may be stored of it."""

    def digest(self, key: str) -> bytes:
        """Give 32 bytes from which the key cannot be found; equal for equal keys."""


class Cipher(Protocol):
    """Seals secrets that must be read again: they open only for the client and key that they were sealed for."""

    def seal(self, secret: str, *, client_id: ClientId, key_id: KeyId) -> bytes:
        """Seal the secret; differs each time."""

    def unseal(self, sealed: bytes, *, client_id: ClientId, key_id: KeyId) -> str:
        """Give the secret; raises when it was sealed otherwise, or changed since."""


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Give the time now, zoned, in UTC."""


class Randomness(Protocol):
    """Gives bytes that nobody can foresee."""

    def draw(self, count: int) -> bytes:
        """Give that many of them."""


class CredentialsFile(Protocol):
    """Where an operator finds the first keys."""

    def keep(self, credentials: Credentials) -> Credentials:
        """Give what the file holds; when there is none, put these in it, whole, on disk, for its owner alone."""

    def forget(self) -> None:
        """Remove the file."""
